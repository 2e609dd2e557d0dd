"""The cost of the database alone: our statements, sent by pgbench as prepared ones."""

import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from benchmarks.pgbench import PgbenchJob, PgbenchResult
from benchmarks.reading.http_requests import Requests
from benchmarks.reading.queries import Query
from benchmarks.reading.statement_capture import Statement, capture_statements
from benchmarks.reading.world import Persona, World
from registry.db.session import SESSION_SETTINGS
from registry.reading.reader_pool import PLANNER_SETTINGS

NAME = "pgbench"
SCRIPTS_MAX = 16
"""Sets of values of a query; each is prepared by each connection."""

_TOKEN = re.compile(r"([eE]?'(?:[^']|'')*')|\$(\d+)")
# Within a text, pgbench takes a colon before a letter for the beginning of a variable.
_COLON = re.compile(r":(?=[A-Za-z_\u0080-\U0010ffff])")
# As text, bytes come out as hexadecimal digits, twice as long; pgbench gets the text itself.
_BYTES = re.compile(r"^SELECT convert_to\((.*), 'UTF8'\)(?: AS \w+)?$", re.DOTALL)


# The settings of the registry's own connections for plans.
_SETTINGS = {"jit": SESSION_SETTINGS["jit"]} | PLANNER_SETTINGS


@dataclass(frozen=True, slots=True)
class Script:
    """The statements that each transaction of pgbench sends.

    Attributes:
        texts: one script for each set of values, with variables for parameters.
        values: by name of the variable; a NULL is part of the text.
        statements: statements of a script.

    """

    texts: tuple[str, ...]
    values: dict[str, str]
    statements: int


Scripts = dict[tuple[str, str], Script]
"""By names of query and persona."""


async def capture_scripts(
    world: World,
    queries: Sequence[Query],
    personas: Sequence[Persona],
    requests: Callable[[Query, Persona], Requests],
) -> Scripts:
    """The statements of the registry for each query, captured and written for pgbench.

    Raises:
        Unavailable: the registry does not start.

    """
    scripts = {}
    superuser = await world.as_superuser()
    try:
        first = requests(queries[0], personas[0])
        async with capture_statements(world, first) as captured:
            for query in queries:
                for persona in personas:
                    sent = await captured.capture(requests(query, persona), SCRIPTS_MAX)
                    scripts[query.name, persona.name] = await build_script(superuser, sent)
    finally:
        await superuser.close()
    return scripts


async def build_script(
    connection: asyncpg.Connection, requests: Sequence[Sequence[Statement]]
) -> Script:
    """The statements of requests that differ in their values only."""
    values: dict[str, str] = {}
    texts = []
    for number, statements in enumerate(requests):
        lines = [
            await _line(connection, statement, f"p{number}_{place}", values)
            for place, statement in enumerate(statements)
        ]
        texts.append("".join(lines))
    return Script(tuple(texts), values, len(requests[0]))


async def _line(
    connection: asyncpg.Connection, statement: Statement, prefix: str, values: dict[str, str]
) -> str:
    """The statement with variables instead of parameters; adds their values."""
    sql = _BYTES.sub(r"SELECT (\1)", statement.sql.rstrip("; \n"))
    prepared = await connection.prepare(sql)
    if any(column.type.name == "bytea" for column in prepared.get_attributes()):
        raise RuntimeError(f"pgbench would get digits instead of bytes: {sql}")
    parameters = []
    for number, (parameter, value) in enumerate(
        zip(prepared.get_parameters(), statement.values, strict=True), start=1
    ):
        name = f"{prefix}_{number}"
        if value:
            values[name] = value
        # pgbench has no empty variables.
        word = f":{name}" if value else "NULL" if value is None else "''"
        parameters.append(f"{word}::{parameter.name}")
    return f"{_with_variables(sql, parameters)};\n"


def _with_variables(sql: str, parameters: Sequence[str]) -> str:
    """The statement with pgbench's variables, each with its parameter's type."""

    def worded(found: re.Match[str]) -> str:
        text, number = found.groups()
        if number is not None:
            return parameters[int(number) - 1]
        if not _COLON.search(text):
            return str(text)
        if text[0] == "'":
            text = "E" + text.replace("\\", "\\\\")
        return _COLON.sub(r"\\x3a", text)

    return _TOKEN.sub(worded, sql)


async def run_pgbench(
    url: str, script: Script, *, connections: int, seconds: float = 1.0, times: int = 0
) -> PgbenchResult:
    """Run the script for a number of seconds, or ``times`` times on each connection."""
    with tempfile.TemporaryDirectory() as folder:
        files = _write_scripts(Path(folder), script)
        job = PgbenchJob(url, files, _SETTINGS, connections, script.values)
        return await job.run(seconds=seconds, times=times)


def _write_scripts(folder: Path, script: Script) -> list[Path]:
    files = [folder / f"{place}.sql" for place in range(len(script.texts))]
    for file, text in zip(files, script.texts, strict=True):
        file.write_text(text)
    return files
