"""What the database alone costs: our statements, sent by pgbench as prepared ones."""

import asyncio
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from benchmarks.reading.ours import build_requests
from benchmarks.reading.queries import Query
from benchmarks.reading.statement_capture import Statement, capture_statements
from benchmarks.reading.world import Persona, World
from registry.db.session import SESSION_SETTINGS
from registry.reading.reader_pool import PLANNER_SETTINGS
from server.postgres import embedded

NAME = "pgbench"
SCRIPTS_MAX = 100
"""So many objects are asked for in turn; pgbench takes no more than 128 scripts."""

# Of the installation whose server is used.
_PROGRAM = embedded._site_packages() / embedded.WHEEL / f"pginstall{embedded.VERSION}/bin/pgbench"  # noqa: SLF001
_RATE = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_TRANSACTIONS = re.compile(r"^number of transactions actually processed: (\d+)", re.MULTILINE)
_LATENCY = re.compile(r"^latency average = ([0-9.]+) ms", re.MULTILINE)
# As the registry's own connections for plans.
_OPTIONS = {"jit": SESSION_SETTINGS["jit"]} | PLANNER_SETTINGS
_ENVIRONMENT = {
    **os.environ,
    "PGOPTIONS": " ".join(f"-c {name}={value}" for name, value in _OPTIONS.items()),
}
_TOKEN = re.compile(r"([eE]?'(?:[^']|'')*')|\$(\d+)")
# Within a text, pgbench takes a colon before a letter for the beginning of a variable.
_COLON = re.compile(r":(?=[A-Za-z_\u0080-\U0010ffff])")
# As text, bytes come out as hexadecimal digits, twice as long; pgbench gets the text itself.
_BYTES = re.compile(r"^SELECT convert_to\((.*), 'UTF8'\)(?: AS \w+)?$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PgbenchResult:
    """What a run came to.

    Attributes:
        answers: how many.
        rate: answers a second.
        average_ms: of one.

    """

    answers: int
    rate: float
    average_ms: float


@dataclass(frozen=True, slots=True)
class Script:
    """What each transaction of pgbench sends, and with which values.

    Attributes:
        text: the statements, with variables for parameters.
        values: by name of the variable; one that is NULL is left out.
        statements: how many they are.

    """

    text: str
    values: dict[str, str]
    statements: int


Scripts = dict[tuple[str, str], Script]
"""By names of query and sitter."""


async def capture_scripts(
    world: World, queries: Sequence[Query], personas: Sequence[Persona]
) -> Scripts:
    """What the registry sends for each query, overheard and written for pgbench.

    Raises:
        Missing: the registry does not come up.

    """
    scripts = {}
    superuser = await world.as_superuser()
    try:
        async with capture_statements(
            world, build_requests(world, queries[0], personas[0])
        ) as heard:
            for query in queries:
                for sitter in personas:
                    sent = await heard.capture(build_requests(world, query, sitter))
                    scripts[query.name, sitter.name] = await build_script(superuser, sent)
    finally:
        await superuser.close()
    return scripts


async def build_script(connection: asyncpg.Connection, statements: Sequence[Statement]) -> Script:
    """The statements of one request."""
    texts, values = [], {}
    for place, statement in enumerate(statements):
        sql = _BYTES.sub(r"SELECT (\1)", statement.sql.rstrip("; \n"))
        prepared = await connection.prepare(sql)
        if any(column.type.name == "bytea" for column in prepared.get_attributes()):
            raise RuntimeError(f"pgbench would get digits instead of bytes: {sql}")
        types = [str(one.name) for one in prepared.get_parameters()]
        names = [f":p{place}_{number}" for number in range(1, len(types) + 1)]
        for number, value in enumerate(statement.values):
            if value:
                values[names[number][1:]] = value
            elif value is not None:
                names[number] = "''"  # pgbench has no empty variables.
        texts.append(_with_variables(sql, [f"{n}::{t}" for n, t in zip(names, types, strict=True)]))
    return Script(";\n".join(texts) + ";\n", values, len(texts))


def _with_variables(sql: str, parameters: Sequence[str]) -> str:
    """The statement with pgbench's variables, each of its parameter's type wherever it stands."""

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
    url: str,
    script: Script,
    ids: Sequence[str] = (),
    *,
    connections: int,
    seconds: float = 1.0,
    times: int = 0,
) -> PgbenchResult:
    """Run it for so long, or so many times by each connection.

    Where the first of the ``ids`` was bound, each of them is in turn.
    """
    with tempfile.TemporaryDirectory() as folder:
        files, values = _write_scripts(Path(folder), script, ids[:SCRIPTS_MAX])
        program = [
            str(_PROGRAM),
            *("--no-vacuum", "--protocol=prepared"),
            f"--transactions={times}" if times else f"--time={max(1, round(seconds))}",
            *(f"--client={connections}", f"--jobs={min(2, connections)}"),
            *(f"--define={name}={value}" for name, value in values.items()),
            *(f"--file={file}" for file in files),
            url,
        ]
        ran = await asyncio.create_subprocess_exec(
            *program, env=_ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        said, complained = await ran.communicate()
    if ran.returncode:
        raise RuntimeError(f"pgbench failed: {complained.decode()[-1000:]}")
    text = said.decode()
    figures = [pattern.findall(text)[0] for pattern in (_TRANSACTIONS, _RATE, _LATENCY)]
    return PgbenchResult(int(figures[0]), float(figures[1]), float(figures[2]))


def _write_scripts(
    folder: Path, script: Script, ids: Sequence[str]
) -> tuple[list[Path], dict[str, str]]:
    """A script for each of the ids; the one that was asked for at first stands in a value."""
    values, texts = dict(script.values), [script.text]
    varying = [name for name, value in values.items() if ids and ids[0] in value]
    if varying:
        texts = []
        for place, id in enumerate(ids):
            text = script.text
            for name in varying:
                values[f"{name}_{place}"] = script.values[name].replace(ids[0], id)
                text = text.replace(f":{name}::", f":{name}_{place}::")
            texts.append(text)
    files = [folder / f"{place}.sql" for place in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    return files, values
