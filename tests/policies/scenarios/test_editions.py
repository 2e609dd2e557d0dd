"""The edition in force as a process has it: built aside, and watched."""

import threading

import pytest

from policies.engine import Edition
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
