"""Conventions that linters cannot check. Each ban names the replacement."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter

import grimp

from tests.architecture.source import CODE, ROOT, Source, project_files, sources

FUNCTION_LINES_MAX = 50
FILE_LINES_MAX = 400
BARE_NAMES = {"utils", "helpers", "common", "misc", "base", "service", "manager"}
CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"}
LEDGER_TABLES = re.compile(
    r"\b(insert\s+into|update|delete\s+from|truncate)\s+(posting|balance)\b", re.IGNORECASE
)
WRITERS = {"create", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}
CATCHERS_OF_DATABASE_ERRORS = {
    "registry/db/session.py",
    "registry/commands/command.py",
    "registry/db/tortoise_engine.py",  # Gives a lost connection back.
    "registry/reading/reader_pool.py",  # Keeps a connection that an error has left in order.
    "registry/db/migrations/runner.py",  # Names the file that failed.
    "seeds/reference/loader.py",  # So does this one.
}
DATABASE_ERRORS = re.compile(
    r"asyncpg|BaseORMException|OperationalError|IntegrityError|DoesNotExist|DBConnectionError"
)
# Written so that this file does not find itself.
HOSTS = re.compile(r"py[p]i\.org|python[h]osted|npm[j]s\.(org|com)|extra-[i]ndex-url")
MACHINE_PATHS = re.compile(r"(?<![\w.])/(work|root|home|Users)/\w")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_casbin_has_one_importer() -> None:
    importers = {source.path for source in sources(*CODE) if "casbin" in _imports(source.tree)}

    assert importers == {"policies/engine.py"}  # Ask policies.engine for a verdict.


def test_only_the_registry_clock_reads_the_time() -> None:
    found = [
        _location(source, call)
        for source in sources("policies", "registry", "schema", "seeds")
        for call in _calls(source.tree)
        if ".".join(ast.unparse(call.func).split(".")[-2:]) in CLOCKS
    ]

    assert found == []  # Take the moment as an argument: work.now, viewer.now, registry_now().


def test_imports_are_at_the_top() -> None:
    found = [
        _location(source, node)
        for source in sources(*CODE)
        if source.path != "server/admin/cli.py"  # There it keeps the start small.
        for function in _functions(source.tree)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]

    assert found == []


def test_files_are_named_for_what_they_hold() -> None:
    found = [
        source.path
        for source in sources(*CODE, "tests")
        if BARE_NAMES & set(source.path.removesuffix(".py").split("/"))
    ]

    assert found == []  # A noun of the domain: values, calendar, pages.


def test_functions_are_short() -> None:
    found = [
        _location(source, function)
        for source in sources(*CODE, "tests")
        for function in _functions(source.tree)
        if (function.end_lineno or 0) - function.lineno >= FUNCTION_LINES_MAX
    ]

    assert found == []  # Split it by what its parts return.


def test_files_are_short() -> None:
    found = [
        source.path
        for source in sources(*CODE, "tests")
        if len(source.text.splitlines()) > FILE_LINES_MAX
    ]

    assert found == []  # Split it by what it does.


def test_modules_load_without_a_circle() -> None:
    graph = grimp.build_graph(*CODE, cache_dir=None)
    order = TopologicalSorter(
        {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    )

    order.prepare()  # Raises with the circle.


def test_every_enum_is_declared_once() -> None:
    names = Counter(
        node.name
        for source in sources(*CODE)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef)
        and {ast.unparse(parent) for parent in node.bases} & {"StrEnum", "Enum", "IntEnum"}
    )

    # Declare it in rules or policies, name it in schema.
    assert [name for name, count in names.items() if count > 1] == []


def test_postings_and_balances_are_written_by_post_entry_alone() -> None:
    found = [
        _location(source, node)
        for source in sources(*CODE)
        for node in ast.walk(source.tree)
        if _writes_ledger(node)
    ]

    assert found == []  # Call registry.ledger's posting.


def test_database_errors_are_caught_in_one_package() -> None:
    found = [
        _location(source, handler)
        for source in sources("policies", "registry", "schema", "seeds")
        if source.path not in CATCHERS_OF_DATABASE_ERRORS
        for handler in _handlers(source.tree)
        if handler.type and DATABASE_ERRORS.search(ast.unparse(handler.type))
    ]

    assert found == []  # Add the constraint to the errors of the concept's manifest.


def test_only_the_policy_engine_and_the_server_catch_everything() -> None:
    found = [
        _location(source, handler)
        for source in sources(*CODE)
        if source.path != "policies/engine.py" and not source.path.startswith("server/")
        for handler in _handlers(source.tree)
        if handler.type is None
        or {"Exception", "BaseException"} & set(re.findall(r"\w+", ast.unparse(handler.type)))
        if source.path
        != "registry/db/tortoise_engine.py"  # Gives the connection back, and raises again.
    ]

    assert found == []


def test_no_file_names_a_package_registry_or_a_place_on_one_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in project_files()
        for number, line in enumerate(path.read_bytes().decode(errors="replace").splitlines(), 1)
        if HOSTS.search(line) or MACHINE_PATHS.search(line)
    ]

    assert found == []


def test_every_lock_is_one_of_the_environment() -> None:
    locks = {path.relative_to(ROOT).as_posix() for path in project_files() if "lock" in path.suffix}

    assert locks == {f"environment/{name}.lock" for name in ("demo", "development", "installer")}


def _imports(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add((node.module or "").partition(".")[0])
    return names


def _functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _handlers(tree: ast.AST) -> Iterator[ast.ExceptHandler]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler))


def _writes_ledger(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return bool(LEDGER_TABLES.search(node.value))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        model = ast.unparse(node.func.value).rpartition(".")[2]
        return model in {"Posting", "Balance"} and node.func.attr in WRITERS
    return False


def _location(source: Source, node: ast.AST) -> str:
    return f"{source.path}:{getattr(node, 'lineno', 0)}"
