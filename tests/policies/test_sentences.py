from pathlib import Path

from policies.sentences import rule_sentences
from tests.policies.shipped import EDITION

GOLDEN = Path(__file__).parent / "golden_sentences.txt"


def test_the_golden_sentences_match_the_rule_book() -> None:
    assert rule_sentences(EDITION) == GOLDEN.read_text("utf-8"), "see the head of the file"
