"""Texts of SQL that are put together: literals that meet become one, so less is concatenated."""

from collections.abc import Iterable, Iterator
from typing import Self


class Joined(str):
    """An expression of several texts one after the other, which remembers them.

    Attributes:
        pieces: the expressions; no two literals stand beside each other.

    """

    __slots__ = ("pieces",)
    pieces: tuple[str, ...]

    @classmethod
    def of(cls, pieces: Iterable[str]) -> Self:
        """The pieces one after the other."""
        made: list[str] = []
        for piece in _flat(pieces):
            if made and _literal(made[-1]) and _literal(piece):
                made[-1] = made[-1][:-1] + piece[1:]
            else:
                made.append(piece)
        joined = cls(f"({' || '.join(made)})" if len(made) > 1 else made[0])
        joined.pieces = tuple(made)
        return joined


def quoted(text: str) -> str:
    """A literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def spoken(piece: str) -> str | None:
    """What a literal says; None where the piece is more than a literal."""
    return piece[1:-1].replace("''", "'") if _literal(piece) else None


def _flat(pieces: Iterable[str]) -> Iterator[str]:
    for piece in pieces:
        yield from piece.pieces if isinstance(piece, Joined) else (piece,)


def _literal(piece: str) -> bool:
    return piece[0] == piece[-1] == "'" and "'" not in piece[1:-1].replace("''", "")
