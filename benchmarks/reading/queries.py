"""The queries that are measured: a document for each API, and one common form for the answers.

Every request carries another value. ``by_id`` names another object, ``page`` and ``feed`` begin
after another row. A number that no document declares makes each body unique, byte for byte.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from benchmarks.reading import our_queries, postgraphile_queries, previous_queries

Values = Mapping[str, object]
NormalisedAnswer = object
"""An answer without what only one API has: names of lists, identifiers, units, digits."""

PAGE_POSITIONS = 500
"""A page or a feed begins after one of the first 500 rows."""

FEED_ROWS = 100
"""Rows of a feed."""


@dataclass(frozen=True, slots=True)
class SchemaQuery:
    """A query as one API has it.

    Attributes:
        document: GraphQL text, sent whole with every request.
        normalise: turns the answer's ``data`` into the common form.
        cursors: document that lists the cursors of the same rows; empty if no cursor is needed.
        variables: turns common values into the variables of this API.

    """

    document: str
    normalise: Callable[[Any], NormalisedAnswer]
    cursors: str = ""
    variables: Callable[[Values], Values] = dict


@dataclass(frozen=True, slots=True)
class Query:
    """A query in every API.

    Attributes:
        name: short word for files and options.
        title: name shown in tables.
        ours: this checkout's API.
        postgraphile: PostGraphile's API.
        previous: API of the commit before the rename.
        variable_sets: values of one request each, in turn.
        rows: rows of an answer; 0 if the query has no cursor.

    """

    name: str
    title: str
    ours: SchemaQuery
    postgraphile: SchemaQuery
    previous: SchemaQuery
    variable_sets: tuple[Values, ...] = ({},)
    rows: int = 0


def by_id_query(ids: Sequence[UUID]) -> Query:
    """One object by its identifier, another one in each request."""
    return Query(
        "by_id",
        "by id",
        SchemaQuery(our_queries.CARD, our_queries.card, variables=our_queries.card_variables),
        SchemaQuery(postgraphile_queries.CARD, postgraphile_queries.card),
        SchemaQuery(
            previous_queries.CARD, previous_queries.card, variables=our_queries.card_variables
        ),
        tuple({"id": str(id)} for id in ids),
    )


def page_query(city: str, *, with_total: bool = True) -> Query:
    """A page of the enterprises of a city; ``with_total`` asks for their number."""
    ours, theirs, previous = (
        module.PAGE if with_total else _without_total(module.PAGE)
        for module in (our_queries, postgraphile_queries, previous_queries)
    )
    return Query(
        "page" if with_total else "page_uncounted",
        "nested page" if with_total else "nested page without its total",
        SchemaQuery(ours, our_queries.page, our_queries.PAGE_CURSORS),
        SchemaQuery(theirs, postgraphile_queries.page, postgraphile_queries.PAGE_CURSORS),
        SchemaQuery(previous, previous_queries.page, previous_queries.PAGE_CURSORS),
        tuple({"city": city, "position": position} for position in range(PAGE_POSITIONS)),
        rows=50,
    )


def _without_total(document: str) -> str:
    """The page without its exact total; the counts within it stay."""
    return document.replace("    totalCount\n    nodes", "    nodes", 1)


_POSITIONS = tuple({"position": position} for position in range(PAGE_POSITIONS))
FEED = Query(
    "feed",
    "feed",
    SchemaQuery(our_queries.FEED, our_queries.feed, our_queries.FEED_CURSORS),
    SchemaQuery(
        postgraphile_queries.FEED, postgraphile_queries.feed, postgraphile_queries.FEED_CURSORS
    ),
    SchemaQuery(previous_queries.FEED, previous_queries.feed, previous_queries.FEED_CURSORS),
    _POSITIONS,
    rows=FEED_ROWS,
)
FEED_OF_CODES = Query(
    "feed_codes",
    "feed without the cities' names",
    SchemaQuery(our_queries.FEED_OF_CODES, our_queries.feed, our_queries.FEED_CURSORS),
    SchemaQuery(
        postgraphile_queries.FEED_OF_CODES,
        postgraphile_queries.feed,
        postgraphile_queries.FEED_CURSORS,
    ),
    SchemaQuery(previous_queries.FEED, previous_queries.feed, previous_queries.FEED_CURSORS),
    _POSITIONS,
    rows=FEED_ROWS,
)
"""The feed as the API before the rename can answer it in one request."""

NAMES = ("by_id", "page", "feed")
