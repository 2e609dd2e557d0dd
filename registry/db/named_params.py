"""SQL with named binds: ``:name`` in the text, ``$n`` on the wire; and what a text may carry."""

import re
from collections.abc import Mapping

from policies.vocabulary import Text

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_NAME = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")


def to_positional(sql: str, binds: Mapping[str, object]) -> tuple[str, list[object]]:
    """The statement with ``$n`` placeholders, and the values in their order."""
    text, names = compile_named(sql)
    return text, [binds[name] for name in names]


def compile_named(sql: str) -> tuple[str, tuple[str, ...]]:
    """The statement with ``$n`` placeholders, and the names of the binds in their order.

    A bind that occurs several times is sent once; one that never occurs is not sent. Casts
    (``::type``) stay.
    """
    places: dict[str, int] = {}

    def place(match: re.Match[str]) -> str:
        return f"${places.setdefault(match[1], len(places) + 1)}"

    return _NAME.sub(place, sql), tuple(places)


def is_storable_text(text: str) -> bool:
    """Whether PostgreSQL keeps a text: it has no NUL and no half of a surrogate pair."""
    return find_unstorable(text) is None


def find_unstorable(text: str) -> Text | None:
    """The refusal of the first character that PostgreSQL does not keep."""
    found = _UNSTORABLE.search(text)
    if found is None:
        return None
    place, code = found.start() + 1, f"U+{ord(found[0]):04X}"
    return Text(
        f"Character {place} ({code}) of a text cannot be stored.",
        f"文本第{place}个字符（{code}）无法保存。",
    )
