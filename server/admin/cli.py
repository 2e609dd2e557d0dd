"""The command line. Each command imports what it needs when it runs, so ``--help`` is quick."""

import asyncio
import logging
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from server.auth.demo_tokens import DemonstrationSigner
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
    from server.composition import prepare
    from server.postgres.urls import opened_places

    with opened_places(_settings()) as at:
        applied = asyncio.run(prepare(at.owned(), at.application_role, reader_role=at.reader_role))
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
    from server.admin.demo import CROSS_REGION, FOUNDING_DAY, demonstrate

    # Whoever looks at the demonstration wants its sign-ins on the screen, not its log.
    settings = _settings(least=logging.WARNING)
    if port is not None:
        settings = settings.model_copy(update={"port": port})
    show = CROSS_REGION if cross_region else FOUNDING_DAY
    demonstrate(settings, show, _signer(settings), fresh=fresh)


@app.command()
def serve() -> None:
    """Answer on the address of BIANDAN_HOST and BIANDAN_PORT until a signal comes."""
    from server.app import create_app
    from server.composition import checked, compose
    from server.http.uvicorn_server import bind
    from server.http.uvicorn_server import serve as answer
    from server.postgres.urls import opened_places
    from server.settings import Unfit

    settings = _settings()
    with bind(settings) as listening, opened_places(settings) as at:
        asyncio.run(checked(settings, at.application))
        parts = compose(settings, at, _signer_of(settings))
        if not answer(create_app(parts), settings, listening):
            raise Unfit("The registry could not start; the log says why.")


@app.command()
def bootstrap(
    name: Annotated[str, typer.Argument(help="Name of the provincial department.")],
    division: Annotated[str, typer.Argument(help="Its division code, six digits.")],
    first: Annotated[str, typer.Argument(help="First officer, as `subject=name`.")],
    second: Annotated[str, typer.Argument(help="Second officer, likewise.")],
) -> None:
    """Register the province and appoint its first two officers. Works once."""
    from server.admin.commands import found
    from server.postgres.urls import opened_places

    with opened_places(_settings()) as at:
        new = asyncio.run(found(at.application, name, division, officers=(first, second)))
    typer.echo(
        "The registry has its province and two officers, who appoint all others."
        if new
        else "This was done before; nothing was changed."
    )


@app.command()
def admit(
    name: Annotated[str, typer.Argument(help="Its `client_id` in access tokens.")],
) -> None:
    """Let in a program of the house; what it does for a person, only that person's rights bound."""
    from server.admin.commands import admitted
    from server.postgres.urls import opened_places

    with opened_places(_settings()) as at:
        new = asyncio.run(admitted(at.application, name))
    typer.echo(f"{name} is let in." if new else "This was done before; nothing was changed.")


@app.command()
def verify(
    *,
    restrict: Annotated[bool, typer.Option(help="Freeze just the accounts that offend.")] = False,
    cross_region: Annotated[bool, typer.Option(help="The demonstration of 2026.")] = False,
) -> None:
    """Check what must always be true, and name the rows that offend."""
    from server.admin.commands import report
    from server.admin.demo import CROSS_REGION, FOUNDING_DAY
    from server.postgres.urls import opened_places

    show = CROSS_REGION if cross_region else FOUNDING_DAY
    with opened_places(_settings(), show.database) as at:
        lines, sound = asyncio.run(report(at.application, restrict=restrict))
    typer.echo("\n".join(lines))
    raise typer.Exit(0 if sound else 1)


@app.command()
def sweep() -> None:
    """Let cases expire whose time limit has passed; a serving process does so by itself."""
    from server.admin.commands import swept
    from server.postgres.urls import opened_places

    with opened_places(_settings()) as at:
        expired = asyncio.run(swept(at.application))
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
    from server.auth.demo_tokens import USUAL_CLIENT

    program = USUAL_CLIENT if client is None else client
    signer = _signer(_settings())
    typer.echo(signer.token(subject, client=program, seconds=60 * minutes, scope=scope))


@database.command()
def start() -> None:
    """Start the embedded database and leave it running."""
    from server.postgres import embedded

    cluster = embedded.start(_settings().state)
    typer.echo(f"Running in {cluster.directory}.")


@database.command()
def stop() -> None:
    """Stop the embedded database, whoever uses it."""
    from server.postgres import embedded

    typer.echo("Stopped." if embedded.stop(_settings().state) else "It was not running.")


@database.command()
def status() -> None:
    """Say whether the embedded database runs."""
    from server.postgres import embedded

    directory = _settings().state or embedded.state_directory()
    running = embedded.running(directory)
    typer.echo(f"{'Running' if running else 'Not running'} in {directory}.")
    raise typer.Exit(0 if running else 3)


def main() -> None:
    """Run the command line; whatever the operator can mend is told in one sentence."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        # Else the process would be gone at once, and the embedded database would run on.
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except Exception as error:
        from server.admin.cli_errors import sentence_of

        sentence = sentence_of(error)
        if sentence is None:
            raise
        sys.exit(sentence)


def _end(number: int, _frame: FrameType | None) -> None:
    """Leave by way of everything that closes behind itself."""
    sys.exit(128 + number)


def _settings(*, least: int = logging.INFO) -> "Settings":
    from server.http.logs import open_logs
    from server.settings import read_settings

    settings = read_settings()
    open_logs(settings.log_format, least=least)
    return settings


def _signer_of(settings: "Settings") -> "DemonstrationSigner | None":
    """The demonstration's own signer; none where tokens come from outside."""
    outside = settings.production or settings.jwks_url or settings.jwks_file
    return None if outside else _signer(settings)


def _signer(settings: "Settings") -> "DemonstrationSigner":
    from server.auth.demo_tokens import open_signer
    from server.postgres import embedded

    directory = settings.state or embedded.state_directory()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return open_signer(settings, directory)


if __name__ == "__main__":
    main()
