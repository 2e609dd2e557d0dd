"""The cache is bounded, and a flood of new keys does not evict keys that were hit."""

from hypothesis import given
from hypothesis import strategies as st

from registry.kernel.slru_cache import SegmentedLRUCache


def test_what_was_asked_again_outlives_a_flood_of_new_things() -> None:
    kept: SegmentedLRUCache[str, int] = SegmentedLRUCache(8, 1_000)
    kept.put("honest", 1, 1)
    assert kept.get("honest") == 1

    for n in range(1_000):
        kept.put(f"flood {n}", n, 1)

    assert kept.get("honest") == 1
    assert len(kept) == 3


def test_what_was_asked_once_goes_with_the_flood() -> None:
    kept: SegmentedLRUCache[str, int] = SegmentedLRUCache(8, 1_000)
    kept.put("once", 1, 1)

    for n in range(3):
        kept.put(f"flood {n}", n, 1)

    assert kept.get("once") is None


def test_of_what_was_asked_again_the_longest_silent_goes_first() -> None:
    kept: SegmentedLRUCache[str, int] = SegmentedLRUCache(4, 1_000)
    for name in ("a", "b", "c"):
        kept.put(name, 1, 1)
        kept.get(name)
    kept.get("a")

    kept.put("d", 1, 1)
    kept.get("d")

    # The one pushed out is new again, and the next new one takes its place.
    assert [name in kept for name in "abcd"] == [True, True, True, True]
    kept.put("e", 1, 1)
    assert [name in kept for name in "abcde"] == [True, False, True, True, True]


def test_what_is_too_heavy_is_not_kept() -> None:
    kept: SegmentedLRUCache[str, int] = SegmentedLRUCache(8, 100)

    kept.put("heavy", 1, 26)

    assert kept.get("heavy") is None
    assert (len(kept), kept.weight) == (0, 0)


def test_what_is_dropped_is_gone_from_either_part() -> None:
    kept: SegmentedLRUCache[str, int] = SegmentedLRUCache(8, 1_000)
    for name in ("new", "known", "stays"):
        kept.put(name, 1, 5)
    kept.get("known")

    for name in ("new", "known", "absent"):
        kept.discard(name)

    assert [name in kept for name in ("new", "known", "stays")] == [False, False, True]
    assert (len(kept), kept.weight) == (1, 5)


def test_the_cache_can_be_cleared() -> None:
    kept: SegmentedLRUCache[str, int] = SegmentedLRUCache(8, 1_000)
    for name in ("new", "known"):
        kept.put(name, 1, 5)
    kept.get("known")

    kept.clear()

    assert (kept.get("new"), kept.get("known"), len(kept), kept.weight) == (None, None, 0, 0)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.integers(0, 60)), max_size=60),
    st.integers(1, 9),
    st.integers(1, 100),
)
def test_neither_number_nor_weight_is_ever_exceeded(
    steps: list[tuple[bool, int, int]], number: int, weight: int
) -> None:
    kept: SegmentedLRUCache[int, int] = SegmentedLRUCache(number, weight)
    weights: dict[int, int] = {}
    for puts, key, heavy in steps:
        if puts:
            kept.put(key, key, heavy)
            weights[key] = heavy
        else:
            assert kept.get(key) in {None, key}
        held = [key for key in range(10) if key in kept]
        assert len(held) == len(kept) <= max(2, number)
        assert kept.weight == sum(weights[key] for key in held) <= max(2, weight)
