"""The edition in force as a process has it: built aside, and watched."""

import threading

import pytest
from casbin import Enforcer
from structlog.testing import capture_logs

from policies.engine import RECHECK_INTERVAL, Edition
from registry.access import rulebook_store
from registry.access.rulebook_store import load_edition

pytestmark = pytest.mark.usefixtures("database")


async def test_an_edition_is_built_while_requests_are_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    builders = []

    def built(*args: object, **others: object) -> Edition:
        builders.append(threading.get_ident())
        return Edition(*args, **others)  # type: ignore[arg-type]

    monkeypatch.setattr(rulebook_store, "Edition", built)

    await load_edition()

    assert builders
    assert threading.get_ident() not in builders


async def test_a_mismatch_of_the_policy_engine_is_logged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    edition = await load_edition()
    assert edition.evaluate("province", "Transfer", "view", 0)
    monkeypatch.setattr(Enforcer, "enforce_ex", lambda *_: (False, []))

    with capture_logs() as logs:
        answers = {
            bool(edition.evaluate("province", "Transfer", "view", 0))
            for _ in range(RECHECK_INTERVAL)
        }

    assert answers == {True, False}
    assert [(line["event"], line["was"], line["now"]) for line in logs] == [("judge", True, False)]
