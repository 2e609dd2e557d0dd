"""GraphQL over HTTP, audited by the npm package of the specification's own working group.

It needs Node and a package index; where one of them is missing, it is skipped with a sentence, but
for CI, which has Node.
"""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypedDict

import pytest

from server.postgres import embedded
from tests.robustness.server_processes import temporary_state_dir
from tests.support.live_server import Portal, open_portal
from tests.transfers.builders import TradingFixture

PACKAGES = ("graphql-http@1.23.1", "graphql@16")
AUDIT = Path(__file__).with_name("audit.mjs")
AUDITS = 61
SECONDS_MAX = 60
BY_GET = {"5A70", "D6D5", "6A70"}
"""Checks of responses to a query by GET, which are optional; here GET is refused."""


class AuditResult(TypedDict):
    """The result of one check."""

    id: str
    name: str
    status: str
    reason: str | None


@pytest.fixture(scope="session")
def package() -> Path:
    """The folder with the installed package, kept outside of the checkout from run to run."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            tell = pytest.fail if os.environ.get("CI") else pytest.skip
            tell(f"The protocol is not audited: {program} is not installed.")
    folder = embedded.state_directory().parent / PACKAGES[0]
    if not (folder / "node_modules" / "graphql-http").is_dir():
        _install(folder)
    return folder


def _install(folder: Path) -> None:
    """Aside first, so that an install that was cut off leaves nothing half made."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with temporary_state_dir() as aside:
        aside.mkdir()
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES]
        try:
            subprocess.run(command, cwd=aside, check=True, capture_output=True, timeout=SECONDS_MAX)
        except (subprocess.SubprocessError, OSError):
            pytest.skip(f"The protocol is not audited: npm cannot install {PACKAGES[0]} here.")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.move(aside, folder)


@pytest.fixture
async def portal(market: TradingFixture) -> AsyncIterator[Portal]:
    async with open_portal() as portal:
        yield portal


async def test_every_check_of_the_protocol_passes_but_queries_by_get(
    package: Path, portal: Portal
) -> None:
    found = await run_audits(package, f"{portal.http.base_url}/graphql")

    assert len(found) == AUDITS
    unwell = {
        audit["id"]: f"{audit['status']}: {audit['name']}" for audit in found if failed(audit)
    }
    assert set(unwell) == BY_GET, unwell
    assert all(said.startswith("notice: MAY") for said in unwell.values()), unwell


def failed(audit: AuditResult) -> bool:
    return audit["status"] != "ok"


async def run_audits(package: Path, address: str) -> list[AuditResult]:
    process = await asyncio.create_subprocess_exec(
        "node", str(AUDIT), str(package), address,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), SECONDS_MAX)
    assert process.returncode == 0, err.decode()
    found: list[AuditResult] = json.loads(out)
    return found
