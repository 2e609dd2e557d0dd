"""Editions of the rule book in the database: imported once, append-only, checked by digest."""

import asyncio
import csv
import io
from collections.abc import Iterable
from pathlib import Path

import asyncpg

import policies
from policies.engine import Edition
from policies.rulebook import RuleBook
from policies.vocabulary import VOCABULARY
from registry.db.session import fetch_all, fetch_one

BUNDLED_RULEBOOK = Path(policies.__file__).parent
"""Folder of the shipped rule book."""

CACHE_SIZE = 32
"""Maximum number of cached rule books."""

_rulebooks: dict[str, RuleBook] = {}


async def store_rulebook(owner: asyncpg.Connection, book: RuleBook) -> int:
    """Store ``book`` as the newest edition unless it is the newest already; returns its version.

    Runs as the owner of the tables: the application may not write rules.
    """
    async with owner.transaction():
        await owner.execute("LOCK TABLE rule_edition IN EXCLUSIVE MODE")
        newest = await owner.fetchrow(
            "SELECT version, digest FROM rule_edition ORDER BY version DESC LIMIT 1"
        )
        if newest and newest["digest"] == book.digest:
            return int(newest["version"])
        version = int(newest["version"]) + 1 if newest else 1
        await owner.execute(
            "INSERT INTO rule_edition (version, digest, imported_at)"
            " VALUES ($1, $2, registry_now())",
            version,
            book.digest,
        )
        await owner.executemany(
            "INSERT INTO rule_line (edition, sequence, cells, number) VALUES ($1, $2, $3, $4)",
            [
                (version, sequence, cells, cells[1] if cells[0] == "p" else None)
                for sequence, cells in enumerate(_csv_rows(book))
            ],
        )
        return version


def _csv_rows(book: RuleBook) -> list[list[str]]:
    """The book as the lines of one file: links, then rows."""
    links = [["g", member, group] for member, group in book.links]
    return links + [
        ["p", row.number, row.effect, row.role, row.verb, row.kind, row.when, row.legal_basis]
        for row in book.rules
    ]


async def newest_version() -> int:
    """The version of the edition in force; 0 where none was imported."""
    found = await fetch_one("SELECT coalesce(max(version), 0) AS version FROM rule_edition")
    return int(found["version"]) if found else 0


async def load_edition(version: int | None = None) -> Edition:
    """The edition ``version``, the newest by default, from its stored lines."""
    wanted = await newest_version() if version is None else version
    book = (await load_rulebooks([wanted])).get(wanted)
    if book is None:
        raise LookupError(f"there is no edition {wanted} of the rule book")
    # In a thread: other requests are answered meanwhile.
    return await asyncio.to_thread(Edition, book, wanted)


async def damaged_editions() -> list[dict[str, object]]:
    """The editions whose stored lines do not yield their digest, each with the fault."""
    damaged: list[dict[str, object]] = []
    for stored in await fetch_all("SELECT version, digest FROM rule_edition ORDER BY version"):
        try:
            await _read_rulebook(stored["version"], stored["digest"])
        except ValueError as error:
            damaged.append({"edition": stored["version"], "fault": str(error)})
    return damaged


async def load_rulebooks(versions: Iterable[int]) -> dict[int, RuleBook]:
    """The rule books of some editions by their version, without an engine; no edition, no book."""
    stored = await fetch_all(
        "SELECT version, digest FROM rule_edition WHERE version = ANY($1::int[])", list(versions)
    )
    return {
        found["version"]: await _load_rulebook(found["version"], found["digest"])
        for found in stored
    }


async def _load_rulebook(version: int, digest: str) -> RuleBook:
    """An edition never changes: it is read once, and known by its digest."""
    if digest not in _rulebooks:
        book = await _read_rulebook(version, digest)
        if len(_rulebooks) >= CACHE_SIZE:
            _rulebooks.pop(next(iter(_rulebooks)), None)
        _rulebooks[digest] = book
    return _rulebooks[digest]


async def _read_rulebook(version: int, digest: str) -> RuleBook:
    text = io.StringIO()
    lines = await fetch_all(
        "SELECT cells FROM rule_line WHERE edition = $1 ORDER BY sequence", version
    )
    csv.writer(text, lineterminator="\n").writerows(line["cells"] for line in lines)
    book = await asyncio.to_thread(
        RuleBook.parse, {f"edition {version}": text.getvalue()}, VOCABULARY
    )
    if book.digest != digest:
        raise ValueError(f"edition {version} of the rule book does not match its digest")
    return book
