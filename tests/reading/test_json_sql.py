"""One text for one value: as a statement writes it, so the resolvers of the API show it."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.db.session import fetch_one
from registry.kernel.quantities import Money, Price, format_quantity
from registry.reading.catalog import ScalarFormat
from registry.reading.json_sql import cursor_expr, json_expr
from registry.reading.projections import ColumnExpr
from registry.reading.reader_pool import ReaderPool
from schema.framework.global_ids import to_global_id
from schema.framework.scalars import SCALARS
from tests.support.cluster import Database
from tests.support.cursors import encode_cursor

BIGINTS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-2_000_000, 2_000_000))
SCALES = st.integers(0, 6)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
FIRST, LATER = datetime(1, 1, 2, tzinfo=UTC), datetime(1900, 1, 1, tzinfo=UTC)
MOST = 315_537_700_000_000_000
ROUND = st.sampled_from([0, 100_000, 120_000, 500_000, 999_999, 1, 10, 100])
# The driver takes the first and last moment and day of all for infinite ones; PostgreSQL shows the
# year 10000 where the last hours of 9999 are another day in China.
MOMENTS = st.one_of(
    st.integers(0, MOST).map(lambda ticks: FIRST + timedelta(microseconds=ticks)),
    st.builds(
        lambda at, ticks: at.replace(microsecond=ticks),
        st.integers(0, 9_498_000_000).map(lambda ticks: LATER + timedelta(seconds=ticks)),
        ROUND,
    ),
)
JsonScalar = tuple[str, ScalarFormat, str, st.SearchStrategy[Any], Any]


def _by(scalar: object) -> Any:  # noqa: ANN401 - a function of any scalar
    return SCALARS[scalar].serialize


SIMPLE: dict[str, JsonScalar] = {
    "money": ("int8", ScalarFormat.MONEY, "x", BIGINTS, _by(Money)),
    "price": ("int8", ScalarFormat.MONEY, "x", BIGINTS, _by(Price)),
    "instant": ("timestamptz", ScalarFormat.DATETIME, "x", MOMENTS, _by(datetime)),
    "day": ("date", ScalarFormat.DATE, "x", st.dates(date(1, 1, 2), date(9999, 12, 30)), _by(date)),
    "text": ("text", ScalarFormat.TEXT, "x", TEXTS, str),
    "number": ("int4", ScalarFormat.NUMBER, "x", st.integers(-(2**31), 2**31 - 1), int),
    "truth": ("bool", ScalarFormat.BOOLEAN, "x", st.booleans(), bool),
}


@pytest.fixture
async def readers(database: Database) -> AsyncIterator[ReaderPool]:
    readers = ReaderPool(database.reader_url, max_connections=1, statement_timeout=30)
    yield readers
    await readers.close()


async def evaluate_json(
    readers: ReaderPool, expression: str, **columns: tuple[str, Sequence[Any]]
) -> Any:  # noqa: ANN401
    """The JSON of an expression over rows of these columns, the same from both connections."""
    casts = ", ".join(f"${n}::{type}[]" for n, (type, _) in enumerate(columns.values(), 1))
    sql = (
        f"SELECT convert_to('[' || coalesce(string_agg({expression}, ',' ORDER BY n), '') || ']',"
        f" 'UTF8') AS found FROM unnest({casts}) WITH ORDINALITY AS t ({', '.join(columns)}, n)"
    )
    values = [list(each) for _, each in columns.values()]
    text = await readers.fetch(sql, values)
    by_application = await fetch_one(sql, *values)
    assert by_application is not None
    assert by_application["found"] == text
    assert text is not None
    return orjson.loads(text)


@pytest.mark.parametrize("name", SIMPLE)
@given(data=st.data())
@settings(suppress_health_check=list(HealthCheck))
async def test_a_value_has_one_text(readers: ReaderPool, name: str, data: st.DataObject) -> None:
    type, form, sql, strategy, show = SIMPLE[name]
    values = data.draw(st.lists(st.one_of(strategy, strategy, st.none()), max_size=40))
    there = [value for value in values if value is not None]

    nullable = await evaluate_json(
        readers, json_expr(ColumnExpr(sql), form, required=False), x=(type, values)
    )
    required = await evaluate_json(
        readers, json_expr(ColumnExpr(sql), form, required=True), x=(type, there)
    )

    assert nullable == [None if value is None else show(value) for value in values]
    assert required == [show(value) for value in there]


@given(pairs=st.lists(st.tuples(BIGINTS, SCALES), min_size=1, max_size=40))
@settings(suppress_health_check=list(HealthCheck))
async def test_a_quantity_has_one_text_at_every_scale(
    readers: ReaderPool, pairs: list[tuple[int, int]]
) -> None:
    units, scales = [each[0] for each in pairs], [each[1] for each in pairs]

    found = await evaluate_json(
        readers,
        json_expr(ColumnExpr("x", scale="s"), ScalarFormat.QUANTITY, required=True),
        x=("int8", units),
        s=("int2", scales),
    )

    assert found == [
        format_quantity(unit, scale) if unit >= 0 else f"-{format_quantity(-unit, scale)}"
        for unit, scale in pairs
    ]


@given(keys=st.lists(st.uuids(), min_size=1, max_size=20))
@settings(suppress_health_check=list(HealthCheck))
async def test_an_identifier_has_one_text(readers: ReaderPool, keys: list[UUID]) -> None:
    kinds = ["Permit", "ConstructionProject", "Transfer"] * len(keys)

    named = json_expr(ColumnExpr("x", id_kind="Permit"), ScalarFormat.IDENTIFIER, required=True)
    by_row = json_expr(ColumnExpr("x", id_kind="t.kind"), ScalarFormat.IDENTIFIER, required=True)

    assert await evaluate_json(readers, named, x=("uuid", keys)) == [
        to_global_id("Permit", key) for key in keys
    ]
    found = await evaluate_json(
        readers, by_row, x=("uuid", keys), kind=("text", kinds[: len(keys)])
    )
    assert found == [to_global_id(kind, key) for kind, key in zip(kinds, keys, strict=False)]


@given(lists=st.lists(st.lists(TEXTS, max_size=5), min_size=1, max_size=5))
@settings(suppress_health_check=list(HealthCheck))
async def test_a_list_of_texts_has_one_text(readers: ReaderPool, lists: list[list[str]]) -> None:
    expression = json_expr(ColumnExpr("x"), ScalarFormat.TEXT_LIST, required=True)

    for each in lists:
        found = await readers.fetch(f"SELECT convert_to({expression}, 'UTF8') FROM (SELECT"
                                    " $1::text[] AS x) t", [each])  # fmt: skip
        assert found is not None
        assert orjson.loads(found) == each


CURSORS: dict[str, tuple[type, str, st.SearchStrategy[Any]]] = {
    "text": (str, "text", TEXTS),
    "instant": (datetime, "timestamptz", MOMENTS),
    "day": (date, "date", st.dates(date(1, 1, 2), date(9999, 12, 30))),
    "number": (int, "int4", st.integers(-(2**31), 2**31 - 1)),
}


@pytest.mark.parametrize("name", CURSORS)
@given(data=st.data())
@settings(suppress_health_check=list(HealthCheck))
async def test_a_cursor_has_one_text(readers: ReaderPool, name: str, data: st.DataObject) -> None:
    of, type, strategy = CURSORS[name]
    places = data.draw(st.lists(st.tuples(strategy, st.uuids()), min_size=1, max_size=30))
    keys, ids = [each[0] for each in places], [each[1] for each in places]

    cursor = cursor_expr("Permit NUMBER", of, "x", "i")
    found = await evaluate_json(readers, cursor, x=(type, keys), i=("uuid", ids))

    assert found == [encode_cursor("Permit NUMBER", key, id) for key, id in places]
