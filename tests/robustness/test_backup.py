"""Backup and restore to a point in time, by the commands of `docs/operating.md`."""

import asyncio
import os
from pathlib import Path

import asyncpg

from server.admin.commands import (
    bootstrap_registry,
    register_first_party_client,
    verify_report,
)
from server.composition import prepare_database
from server.postgres import embedded
from tests.robustness.server_processes import DURABLE, temporary_state_dir

PROVINCE = ("河北省生态环境厅", "130000")
OFFICERS = ("wang-li=王丽", "zhao-gang=赵刚")


def make_folder(folder: Path) -> Path:
    """A folder of the user that the database server runs as."""
    folder.mkdir(mode=0o700)
    if os.getuid() == 0:
        user = embedded._unprivileged()
        os.chown(folder, user.pw_uid, user.pw_gid)
    return folder


def back_up(state: Path, data: Path) -> None:
    embedded._run(
        state,
        "pg_basebackup",
        *("--host", str(state / "socket"), "--username", "postgres"),
        *("--pgdata", str(data), "--checkpoint", "fast", "--wal-method", "none"),
    )


def restore(restored: Path, archive: Path, until: str) -> None:
    """Make the state directory around the backup usable, and the server recover when it starts."""
    if os.getuid() == 0:
        embedded._copy_binaries(restored)
    (restored / "data" / "recovery.signal").touch()
    with (restored / "data" / "postgresql.auto.conf").open("a") as settings:
        settings.write(
            f"unix_socket_directories = '{make_folder(restored / 'socket')}'\n"
            f"restore_command = 'cp {archive}/%f %p'\n"
            f"recovery_target_time = '{until}'\n"
            "recovery_target_action = 'promote'\n"
        )


async def clients(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        return {row["name"] for row in await connection.fetch("SELECT name FROM client")}
    finally:
        await connection.close()


async def moment(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        return str(await connection.fetchval("SELECT clock_timestamp()::text"))
    finally:
        await connection.close()


def test_a_backup_is_restored_to_a_point_in_time_and_verifies() -> None:
    with temporary_state_dir() as state:
        archive = make_folder(state.with_name("archive"))
        archiving = {"archive_mode": "on", "archive_command": f"cp %p {archive}/%f"}
        cluster = embedded.start(state, options={**DURABLE, "wal_level": "replica", **archiving})
        restored = state.with_name("restored")
        embedded._make_private(restored)
        try:
            urls = cluster.role_urls()
            until = asyncio.run(_fill_and_back_up(state, restored, urls))
            embedded._sql(state, "SELECT pg_switch_wal()")
        finally:
            embedded.stop(state)
            cluster.release()
        restore(restored, archive, until)

        again = embedded.start(restored)
        try:
            url = again.role_urls().application
            lines, sound = asyncio.run(verify_report(url, restrict=False))
            found = asyncio.run(clients(url))
            accepts_commands = asyncio.run(register_first_party_client(url, "afterwards"))
        finally:
            again.stop()

    assert sound, lines
    assert {"before-backup", "after-backup"} <= found
    assert "after-moment" not in found
    assert accepts_commands


async def _fill_and_back_up(state: Path, restored: Path, urls: embedded.RoleUrls) -> str:
    """A client before the backup, one after it, one after the moment; that moment."""
    await prepare_database(urls.owner, embedded.APPLICATION, reader_role=embedded.READER)
    await bootstrap_registry(urls.application, *PROVINCE, officers=OFFICERS)
    await register_first_party_client(urls.application, "before-backup")
    await asyncio.to_thread(back_up, state, make_folder(restored / "data"))
    await register_first_party_client(urls.application, "after-backup")
    until = await moment(urls.application)
    await register_first_party_client(urls.application, "after-moment")
    return until
