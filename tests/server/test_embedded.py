"""The embedded PostgreSQL: shared while in use, and gone afterwards."""

import errno
import os
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import pytest

from server.postgres import embedded


@pytest.fixture
def directory() -> Iterator[Path]:
    with TemporaryDirectory(prefix="biandan-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "state" / "cluster"
        embedded.stop(Path(folder) / "state" / "cluster")


def postmaster(directory: Path) -> int:
    return int((directory / "data" / "postmaster.pid").read_text().split()[0])


def wait_for_exit(pid: int) -> bool:
    """Whether the process is gone soon; it outlives its own pid file by a moment."""
    for _ in range(3000):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return False


async def test_roles_and_database_exist_and_data_survive_a_restart(directory: Path) -> None:
    first = embedded.start(directory)
    connection = await asyncpg.connect(first.role_urls().owner)
    await connection.execute("CREATE TABLE kept (id int)")
    await connection.close()
    assert first.stop()

    second = embedded.start(directory)
    connection = await asyncpg.connect(second.role_urls().owner)
    assert await connection.fetch("SELECT * FROM kept") == []
    supers = await connection.fetch("SELECT rolname FROM pg_roles WHERE rolsuper")
    await connection.close()
    reader = await asyncpg.connect(second.role_urls().reader)
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await reader.execute("CREATE TABLE forbidden (id int)")
    await reader.close()
    assert second.stop()

    assert [role["rolname"] for role in supers] == ["postgres"]


async def test_a_database_in_use_is_not_dropped(directory: Path) -> None:
    cluster = embedded.start(directory)
    connection = await asyncpg.connect(cluster.role_urls().owner)
    await connection.execute("CREATE TABLE kept (id int)")

    with pytest.raises(embedded.EmbeddedDatabaseError, match="stop the running demonstration"):
        cluster.ensure_database(embedded.DATABASE, fresh=True)
    kept = await connection.fetch("SELECT * FROM kept")
    await connection.close()
    cluster.ensure_database(embedded.DATABASE, fresh=True)
    connection = await asyncpg.connect(cluster.role_urls().owner)
    with pytest.raises(asyncpg.UndefinedTableError):
        await connection.fetch("SELECT * FROM kept")
    await connection.close()

    assert kept == []
    assert cluster.stop()


def test_the_last_one_to_leave_stops_the_server(directory: Path) -> None:
    first, second = embedded.start(directory), embedded.start(directory)
    pid = postmaster(directory)

    assert not first.stop()
    assert embedded.is_running(directory)
    assert second.stop()
    assert wait_for_exit(pid)


def test_it_listens_on_a_private_socket_alone(directory: Path) -> None:
    embedded.start(directory).release()

    assert stat.S_IMODE((directory / "socket").stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / "data").stat().st_mode) == 0o700
    assert (directory / "data" / "postmaster.pid").read_text().splitlines()[5].strip() == ""


def test_a_state_directory_never_has_a_blank(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/a path/with blanks")

    assert " " not in str(embedded.state_directory())
    assert embedded.CHECKOUT not in embedded.state_directory().parents


def test_two_checkouts_have_two_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    here = embedded.state_directory()
    monkeypatch.setattr(embedded, "CHECKOUT", embedded.CHECKOUT / "copy")

    assert embedded.state_directory() != here


def test_a_cut_off_first_start_is_begun_again(directory: Path) -> None:
    (directory / "data.unfinished" / "base").mkdir(parents=True)
    (directory / "data.unfinished" / "PG_VERSION").write_text("18\n")

    assert embedded.start(directory).stop()


@pytest.mark.skipif(os.getuid() != 0, reason="only root's server runs from a copy")
def test_a_disk_that_fills_while_the_server_is_copied_is_one_sentence(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_source: object, _target: object, **_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shutil, "copystat", full)

    with pytest.raises(
        embedded.EmbeddedDatabaseError, match=r"^The disk that holds \S+ is full\.$"
    ):
        embedded.start(directory)


def test_a_server_that_cannot_be_used_does_not_run_on(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "SETUP_SQL", "SELECT 1 / 0")

    with pytest.raises(embedded.EmbeddedDatabaseError, match="division by zero"):
        embedded.start(directory)

    assert not embedded.is_running(directory)
