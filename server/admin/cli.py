"""The command line. Each command imports what it needs only when it runs: ``--help`` is quick."""

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

SIGNAL_RETRY_SECONDS = 0.05

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
    """Bring the database up to date: tables, privileges, reference data, rule book."""
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
        bool, typer.Option(help="Show the rules of 2026, with transfers across cities.")
    ] = False,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to listen on, 8610 by default.")
    ] = None,
    fresh: Annotated[bool, typer.Option(help="Drop all data and load them anew.")] = False,
) -> None:
    """Serve the registry of 7 June 2022 on this machine, until Ctrl-C."""
    from server.admin.demo import CROSS_REGION, FOUNDING_DAY, run_demo

    # The screen is for the list of sign-ins, not for the log.
    settings = _load_settings(level=logging.WARNING)
    if port is not None:
        settings = settings.model_copy(update={"port": port})
    scenario = CROSS_REGION if cross_region else FOUNDING_DAY
    run_demo(settings, scenario, _open_demo_signer(settings), fresh=fresh)


@app.command()
def serve() -> None:
    """Serve on the address of BIANDAN_HOST and BIANDAN_PORT until a signal arrives."""
    from server.app import create_app
    from server.composition import check_startup, compose
    from server.http.granian_server import bind
    from server.http.granian_server import serve as answer
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
    name: Annotated[str, typer.Argument(help="The name of the provincial department.")],
    division: Annotated[str, typer.Argument(help="Its division code of six digits.")],
    first: Annotated[str, typer.Argument(help="The first officer, as `subject=name`.")],
    second: Annotated[str, typer.Argument(help="The second officer, in the same form.")],
) -> None:
    """Register the province and appoint its first two officers. It works once."""
    from server.admin.commands import bootstrap_registry
    from server.postgres.urls import open_database_urls

    with open_database_urls(_load_settings()) as at:
        new = asyncio.run(
            bootstrap_registry(at.application, name, division, officers=(first, second))
        )
    typer.echo(
        "The province and its two officers are registered; they appoint all others."
        if new
        else "This was done before; nothing has changed."
    )


@app.command()
def register_client(
    name: Annotated[str, typer.Argument(help="The `client_id` in its access tokens.")],
) -> None:
    """Register a first-party client; it may do all that the signed-in user may do."""
    from server.admin.commands import register_first_party_client
    from server.postgres.urls import open_database_urls

    with open_database_urls(_load_settings()) as at:
        new = asyncio.run(register_first_party_client(at.application, name))
    typer.echo(f"{name} is registered." if new else "This was done before; nothing has changed.")


@app.command()
def verify(
    *,
    restrict: Annotated[
        bool, typer.Option(help="Freeze the accounts that break an invariant.")
    ] = False,
    cross_region: Annotated[bool, typer.Option(help="Check the demonstration of 2026.")] = False,
) -> None:
    """Check every invariant, and name the rows that break one."""
    from server.admin.cli_errors import expecting_demo
    from server.admin.commands import verify_report
    from server.postgres.embedded import CROSS_REGION_DATABASE, DATABASE
    from server.postgres.urls import open_database_urls

    database = CROSS_REGION_DATABASE if cross_region else DATABASE
    remedy = "./dev demo --cross-region" if cross_region else ""
    with open_database_urls(_load_settings(), database) as at, expecting_demo(remedy):
        lines, sound = asyncio.run(verify_report(at.application, restrict=restrict))
    typer.echo("\n".join(lines))
    raise typer.Exit(0 if sound else 1)


@app.command()
def sweep() -> None:
    """Expire the cases whose time limit has passed; a serving process does so by itself."""
    from server.admin.commands import expire_overdue
    from server.postgres.urls import open_database_urls

    with open_database_urls(_load_settings()) as at:
        expired = asyncio.run(expire_overdue(at.application))
    typer.echo(f"{expired} expired.")


@app.command()
def token(
    subject: Annotated[str, typer.Argument(help="The person's subject, such as `liu-wei`.")],
    client: Annotated[
        str | None, typer.Option(help="The client program, if not that of the demonstration.")
    ] = None,
    minutes: Annotated[int, typer.Option(min=1, max=1440, help="Minutes until it expires.")] = 60,
    scope: Annotated[
        str | None, typer.Option(help="Scopes such as `Transfer:offer`; without it no limit.")
    ] = None,
) -> None:
    """Print an access token for the demonstration."""
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
    """Stop the embedded database, even if other processes use it."""
    from server.postgres import embedded

    typer.echo("Stopped." if embedded.stop(_load_settings().state_dir) else "It was not running.")


@database.command()
def status() -> None:
    """Print whether the embedded database runs."""
    from server.postgres import embedded

    directory = _load_settings().state_dir or embedded.state_directory()
    running = embedded.is_running(directory)
    typer.echo(f"{'Running' if running else 'Not running'} in {directory}.")
    raise typer.Exit(0 if running else 3)


def main() -> None:
    """Run the command line; an error that the operator can mend is one sentence."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        # By default the process would end at once, and the embedded database would run on.
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _exit_on_signal)
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except Exception as error:
        from server.admin.cli_errors import operator_message

        message = operator_message(error)
        if message is None:
            raise
        sys.exit(message)


def _exit_on_signal(number: int, frame: FrameType | None) -> None:
    """Exit through every ``finally`` and context manager."""
    if _is_in_finalizer(frame):
        # Python ignores an exit there, so the signal is handled again in a moment.
        signal.signal(signal.SIGALRM, lambda _, later: _exit_on_signal(number, later))
        signal.setitimer(signal.ITIMER_REAL, SIGNAL_RETRY_SECONDS)
        return
    sys.exit(128 + number)


def _is_in_finalizer(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code.co_name != "__del__":
        frame = frame.f_back
    return frame is not None


def _load_settings(*, level: int = logging.INFO) -> "Settings":
    from server.http.logging_config import configure_logging
    from server.settings import read_settings

    settings = read_settings()
    configure_logging(settings.log_format, level=level)
    return settings


def _demo_signer_or_none(settings: "Settings") -> "DemoTokenSigner | None":
    """The signer of the demonstration; None if an identity provider issues the tokens."""
    external = settings.is_production or settings.jwks_url or settings.jwks_file
    return None if external else _open_demo_signer(settings)


def _open_demo_signer(settings: "Settings") -> "DemoTokenSigner":
    from server.auth.demo_tokens import load_signer
    from server.postgres import embedded

    directory = settings.state_dir or embedded.state_directory()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return load_signer(settings, directory)


if __name__ == "__main__":
    main()
