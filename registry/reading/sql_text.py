"""Texts of SQL that are put together: literals that meet become one, so less is concatenated."""

from collections.abc import Iterable, Iterator
from typing import Self


class SqlConcat(str):
    """An expression of several texts one after the other, which remembers them."""

    __slots__ = ("pieces",)
    pieces: tuple[str, ...]  # The expressions; no two literals stand beside each other.

    @classmethod
    def of(cls, pieces: Iterable[str]) -> Self:
        made: list[str] = []
        for piece in _flatten(pieces):
            if made and _is_literal(made[-1]) and _is_literal(piece):
                made[-1] = made[-1][:-1] + piece[1:]
            else:
                made.append(piece)
        joined = cls(f"({' || '.join(made)})" if len(made) > 1 else made[0])
        joined.pieces = tuple(made)
        return joined


def quote_literal(text: str) -> str:
    """A literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def literal_value(piece: str) -> str | None:
    """The value of a literal; None where the piece is no plain literal."""
    return piece[1:-1].replace("''", "'") if _is_literal(piece) else None


def _flatten(pieces: Iterable[str]) -> Iterator[str]:
    for piece in pieces:
        yield from piece.pieces if isinstance(piece, SqlConcat) else (piece,)


def _is_literal(piece: str) -> bool:
    return piece[0] == piece[-1] == "'" and "'" not in piece[1:-1].replace("''", "")
