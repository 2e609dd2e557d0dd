import unicodedata

import asyncpg
from hypothesis import HealthCheck, given, settings

from registry.kernel.texts import comparison_form
from tests.support.texts import ALMOST_ANY_TEXT

_PLANES = range(0x1, 0x110000)


def _is_in_every_unicode(character: str) -> bool:
    """Whether Python and PostgreSQL know it alike, each by a Unicode of its own age."""
    return unicodedata.ucd_3_2_0.category(character) not in {"Cs", "Cn"}


async def test_sql_and_python_compare_each_character_in_one_form(
    owner: asyncpg.Connection,
) -> None:
    known = [chr(code) for code in _PLANES if _is_in_every_unicode(chr(code))]

    found = await owner.fetchval(
        "SELECT array_agg(comparison_form('a' || c || 'b ' || c) ORDER BY n)"
        " FROM unnest($1::text[]) WITH ORDINALITY AS each (c, n)",
        known,
    )

    expected = [comparison_form(f"a{c}b {c}") for c in known]
    assert [c for c, a, b in zip(known, found, expected, strict=True) if a != b] == []


async def test_sql_and_python_compare_texts_in_one_form(owner: asyncpg.Connection) -> None:
    texts: list[str] = []

    @settings(database=None, suppress_health_check=list(HealthCheck))
    @given(ALMOST_ANY_TEXT.map(lambda text: "".join(filter(_is_in_every_unicode, text))))
    def collect(text: str) -> None:
        texts.append(text)

    collect()
    found = await owner.fetchval(
        "SELECT array_agg(comparison_form(c) ORDER BY n)"
        " FROM unnest($1::text[]) WITH ORDINALITY AS each (c, n)",
        texts,
    )

    assert found == [comparison_form(text) for text in texts]
