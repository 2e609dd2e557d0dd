"""Every invariant of ``verify`` is tried: a test that violates it names it."""

from registry.ledger.invariants import all_checks
from schema.root import build_api_schema
from tests.architecture.rules_table import ROOT


def test_every_check_is_named_by_a_test() -> None:
    build_api_schema()  # Loads every concept, and so its checks.
    texts = [path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py")]

    unnamed = {
        check.name for check in all_checks() if not any(f'"{check.name}"' in t for t in texts)
    }

    assert unnamed == set()
