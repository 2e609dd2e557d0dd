"""Yes-sets of a truth table in their shortest form. Pure: no rows, no Casbin."""

from collections.abc import Iterable, Mapping

Conjunction = tuple[int, int]
"""(care, value): a mask belongs to the term when ``mask & care == value``. Care 0 is «always»."""


def subsets(bits: Iterable[int]) -> tuple[int, ...]:
    """Every combination of single-bit masks, the empty one first."""
    masks: tuple[int, ...] = (0,)
    for bit in bits:
        masks += tuple(mask | bit for mask in masks)
    return masks


def minimise_dnf(yes: Iterable[int], bits: Iterable[int]) -> tuple[Conjunction, ...]:
    """Few terms over ``bits`` that cover exactly the masks in ``yes``.

    Quine-McCluskey with a greedy cover; the same yes-set always gives the same terms.
    """
    left = frozenset(yes)
    primes = _prime_implicants(left, sum(bits))
    cover: list[Conjunction] = []
    while left:
        best = max(
            primes, key=lambda term: (_count_covered(term, left), -term[0].bit_count(), *term)
        )
        cover.append(best)
        left = frozenset(mask for mask in left if mask & best[0] != best[1])
    return tuple(cover)


def _count_covered(term: Conjunction, masks: frozenset[int]) -> int:
    care, value = term
    return sum(mask & care == value for mask in masks)


def _prime_implicants(yes: frozenset[int], care: int) -> set[Conjunction]:
    """The terms that cannot lose another fact without covering a no."""
    primes: set[Conjunction] = set()
    level = {(care, mask) for mask in yes}
    while level:
        merged: set[Conjunction] = set()
        wider: set[Conjunction] = set()
        for cared, value in level:
            for bit in _single_bits(cared):
                if (cared, value ^ bit) in level:
                    merged.add((cared, value))
                    wider.add((cared ^ bit, value & ~bit))
        primes |= level - merged
        level = wider
    return primes


def _single_bits(mask: int) -> Iterable[int]:
    while mask:
        bit = mask & -mask
        yield bit
        mask ^= bit


def format_dnf(terms: tuple[Conjunction, ...], bits: Mapping[str, int]) -> str:
    """The terms in the words of the rule book: «own and stage_draft; or inside and not frozen»."""
    if not terms:
        return "never"
    said = sorted(
        [n if value & bit else f"not {n}" for n, bit in bits.items() if care & bit]
        for care, value in terms
    )
    return "; or ".join(" and ".join(words) or "always" for words in said)
