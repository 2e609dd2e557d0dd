"""The command line. Each command imports what it needs when it runs, so ``--help`` is quick."""

import asyncio
import logging
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from server.auth.demo_tokens import DemoTokenSigner
    from server.settings import Settings

app = typer.Typer(
    help="Biandan, the registry of a province's emission rights.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
database = typer.Typer(help="The embedded database of this checkout.", no_args_is_help=True)
app.add_typer(database, name="db")


@app.command()
def migrate() -> None:
    """Bring the database up to date: tables, rights, reference data, rule book."""
    from server.composition import prepare_database
    from server.postgres.urls import open_database_urls

    with open_database_urls(_load_settings()) as at:
        applied = asyncio.run(
            prepare_database(
                at.require_owner_url(), at.application_role, reader_role=at.reader_role
            )
        )
    typer.echo("\n".join(applied) or "The database is up to date.")


@app.command()
def demo(
    *,
    cross_region: Annotated[
        bool, typer.Option(help="The fixture of 2026, in which rights may cross cities.")
    ] = False,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Instead of 8610.")] = None,
    fresh: Annotated[bool, typer.Option(help="Forget what was done and begin anew.")] = False,
) -> None:
    """Show the registry of 7 June 2022 on this machine, until Ctrl-C."""
    from server.admin.demo import CROSS_REGION, FOUNDING_DAY, run_demo

    # Whoever looks at the demonstration wants its sign-ins on the screen, not its log.
    settings = _load_settings(level=logging.WARNING)
    if port is not None:
        settings = settings.model_copy(update={"port": port})
    show = CROSS_REGION if cross_region else FOUNDING_DAY
    run_demo(settings, show, _open_demo_signer(settings), fresh=fresh)


@app.command()
def serve() -> None:
    """Answer on the address of BIANDAN_HOST and BIANDAN_PORT until a signal comes."""
    from server.app import create_app
    from server.composition import check_startup, compose
    from server.http.uvicorn_server import bind
    from server.http.uvicorn_server import serve as answer
    from server.postgres.urls import open_database_urls
    from server.settings import ConfigurationError

    settings = _load_settings()
    with bind(settings) as listening, open_database_urls(settings) as at:
        asyncio.run(check_startup(settings, at.application))
        parts = compose(settings, at, _demo_signer_or_none(settings))
        if not answer(create_app(parts), settings, listening):
            raise ConfigurationError("The registry could not start; the log says why.")


@app.command()
def bootstrap(
    name: Annotated[str, typer.Argument(help="Name of the provincial department.")],
    division: Annotated[str, typer.Argument(help="Its division code, six digits.")],
    first: Annotated[str, typer.Argument(help="First officer, as `subject=name`.")],
    second: Annotated[str, typer.Argument(help="Second officer, likewise.")],
) -> None:
    """Register the province and appoint its first two officers. Works once."""
    from server.admin.commands import bootstrap_registry
    from server.postgres.urls import open_database_urls

    with open_database_urls(_load_settings()) as at:
        new = asyncio.run(
            bootstrap_registry(at.application, name, division, officers=(first, second))
        )
    typer.echo(
        "The registry has its province and two officers, who appoint all others."
        if new
        else "This was done before; nothing was changed."
    )


@app.command()
def register_client(
    name: Annotated[str, typer.Argument(help="Its `client_id` in access tokens.")],
) -> None:
    """Register a first-party client; it may do all that the signed-in user may do."""
    from server.admin.commands import register_first_party_client
    from server.postgres.urls import open_database_urls

    with open_database_urls(_load_settings()) as at:
        new = asyncio.run(register_first_party_client(at.application, name))
    typer.echo(f"{name} is let in." if new else "This was done before; nothing was changed.")


@app.command()
def verify(
    *,
    restrict: Annotated[bool, typer.Option(help="Freeze just the accounts that offend.")] = False,
    cross_region: Annotated[bool, typer.Option(help="The demonstration of 2026.")] = False,
) -> None:
    """Check what must always be true, and name the rows that offend."""
    from server.admin.commands import verify_report
    from server.admin.demo import CROSS_REGION, FOUNDING_DAY
    from server.postgres.urls import open_database_urls

    show = CROSS_REGION if cross_region else FOUNDING_DAY
    with open_database_urls(_load_settings(), show.database) as at:
        lines, sound = asyncio.run(verify_report(at.application, restrict=restrict))
    typer.echo("\n".join(lines))
    raise typer.Exit(0 if sound else 1)


@app.command()
def sweep() -> None:
    """Let cases expire whose time limit has passed; a serving process does so by itself."""
    from server.admin.commands import expire_overdue
    from server.postgres.urls import open_database_urls

    with open_database_urls(_load_settings()) as at:
        expired = asyncio.run(expire_overdue(at.application))
    typer.echo(f"{expired} expired.")


@app.command()
def token(
    subject: Annotated[str, typer.Argument(help="The person's subject, such as `liu-wei`.")],
    client: Annotated[
        str | None, typer.Option(help="The program that the person uses, if not the usual one.")
    ] = None,
    minutes: Annotated[int, typer.Option(min=1, max=1440, help="How long it is good.")] = 60,
    scope: Annotated[str | None, typer.Option(help="Kind:verb words; none limits nothing.")] = None,
) -> None:
    """Print an access token of the demonstration."""
    from server.auth.demo_tokens import DEFAULT_CLIENT

    program = DEFAULT_CLIENT if client is None else client
    signer = _open_demo_signer(_load_settings())
    typer.echo(signer.issue_token(subject, client=program, seconds=60 * minutes, scope=scope))


@database.command()
def start() -> None:
    """Start the embedded database and leave it running."""
    from server.postgres import embedded

    cluster = embedded.start(_load_settings().state_dir)
    typer.echo(f"Running in {cluster.directory}.")


@database.command()
def stop() -> None:
    """Stop the embedded database, whoever uses it."""
    from server.postgres import embedded

    typer.echo("Stopped." if embedded.stop(_load_settings().state_dir) else "It was not running.")


@database.command()
def status() -> None:
    """Say whether the embedded database runs."""
    from server.postgres import embedded

    directory = _load_settings().state_dir or embedded.state_directory()
    running = embedded.is_running(directory)
    typer.echo(f"{'Running' if running else 'Not running'} in {directory}.")
    raise typer.Exit(0 if running else 3)


def main() -> None:
    """Run the command line; whatever the operator can mend is told in one sentence."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        # Else the process would be gone at once, and the embedded database would run on.
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _exit_on_signal)
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except Exception as error:
        from server.admin.cli_errors import operator_message

        sentence = operator_message(error)
        if sentence is None:
            raise
        sys.exit(sentence)


def _exit_on_signal(number: int, _frame: FrameType | None) -> None:
    """Leave by way of everything that closes behind itself."""
    sys.exit(128 + number)


def _load_settings(*, level: int = logging.INFO) -> "Settings":
    from server.http.logs import configure_logging
    from server.settings import read_settings

    settings = read_settings()
    configure_logging(settings.log_format, level=level)
    return settings


def _demo_signer_or_none(settings: "Settings") -> "DemoTokenSigner | None":
    """The demonstration's own signer; none where tokens come from outside."""
    outside = settings.is_production or settings.jwks_url or settings.jwks_file
    return None if outside else _open_demo_signer(settings)


def _open_demo_signer(settings: "Settings") -> "DemoTokenSigner":
    from server.auth.demo_tokens import load_signer
    from server.postgres import embedded

    directory = settings.state_dir or embedded.state_directory()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return load_signer(settings, directory)


if __name__ == "__main__":
    main()
