"""The names of enum values in the API, derived from the words that are stored.

``in_force`` is ``IN_FORCE``, the kind ``ConstructionProject`` is ``CONSTRUCTION_PROJECT``. The
schema builds its enums with ``enum_name``, so it reads names back by the same rule.
"""

import re

_WORD_BOUNDARY = re.compile("([a-z])([A-Z])")


def enum_name(word: str) -> str:
    """The name of a stored word in the API."""
    return _WORD_BOUNDARY.sub(r"\1_\2", word).upper()


def enum_name_expr(sql: str) -> str:
    """The SQL expression of the name, for words in lower case."""
    return f"upper({sql})"


def kind_name_expr(sql: str) -> str:
    """The SQL expression of the name of a kind, which is stored in CamelCase."""
    return f"regexp_replace({sql}, '([a-z])([A-Z])', '\\1_\\2', 'g')"
