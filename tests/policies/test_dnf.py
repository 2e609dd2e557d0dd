from hypothesis import given
from hypothesis import strategies as st

from policies.dnf import format_dnf, minimise_dnf, subsets

BITS = (1, 4, 32, 64, 512)
YES_SETS = st.sets(st.sampled_from(subsets(BITS)))


@given(YES_SETS)
def test_terms_cover_exactly_the_yes_set(yes: set[int]) -> None:
    terms = minimise_dnf(yes, BITS)

    covered = {m for m in subsets(BITS) if any(m & care == value for care, value in terms)}
    assert covered == yes


@given(YES_SETS)
def test_no_term_can_be_left_out_or_lose_a_fact(yes: set[int]) -> None:
    terms = minimise_dnf(yes, BITS)

    for care, value in terms:
        for bit in BITS:
            wider = {m for m in subsets(BITS) if m & (care & ~bit) == value & ~bit}
            assert not care & bit or not wider <= yes


def test_nothing_is_never_and_everything_is_always() -> None:
    assert minimise_dnf((), BITS) == ()
    assert minimise_dnf(subsets(BITS), BITS) == ((0, 0),)


def test_terms_are_spelled_in_the_words_of_the_rule_book() -> None:
    bits = {"own": 1, "inside": 2, "frozen": 4}

    assert format_dnf((), bits) == "never"
    assert format_dnf(((0, 0),), bits) == "always"
    assert format_dnf(((6, 2), (1, 1)), bits) == "inside and not frozen; or own"
