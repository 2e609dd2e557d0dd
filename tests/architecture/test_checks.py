"""Each invariant of ``verify`` is named by a test that violates it."""

from registry.concepts import CONCEPTS
from registry.ledger.verification import all_checks
from tests.architecture.rules_table import ROOT


def test_every_check_is_named_by_a_test() -> None:
    texts = [path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    names = {check.name for check in all_checks(CONCEPTS)}

    assert {name for name in names if not any(f'"{name}"' in text for text in texts)} == set()
