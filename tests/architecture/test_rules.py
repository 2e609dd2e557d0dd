"""The document of rules says what the code says, and every rule is tested."""

from tests.architecture.rules_table import ROOT, document, rules


def test_every_cited_rule_is_named_by_a_test() -> None:
    untested = [f"{rule.function} ({rule.location})" for rule in rules() if not rule.tests]

    assert untested == []


def test_the_document_of_rules_is_what_the_code_cites() -> None:
    written = (ROOT / "docs" / "rules.md").read_text("utf-8")

    assert written == document(), "run: python -m tests.architecture.rules_table > docs/rules.md"
