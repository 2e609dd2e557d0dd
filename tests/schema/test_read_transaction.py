"""A query sees one moment and cannot write, against the real database."""

import strawberry

from registry.access.principals import Principal
from registry.db.session import execute, fetch_one
from schema.framework.context import Context
from tests.schema.sample import Mutation, build_sample_schema
from tests.support.cluster import Database

READ = """
    SELECT pg_current_snapshot()::text AS snapshot,
        current_setting('transaction_read_only') AS only
"""


@strawberry.type
class Query:
    """The query of the tests."""

    @strawberry.field(description="A moment 时刻.")
    async def moment(self) -> str:
        """The snapshot that the field reads."""
        return str(await fetch_one(READ))

    @strawberry.field(description="A write 写入.")
    async def write(self) -> int | None:
        """Try what no query may."""
        return await execute("CREATE TEMPORARY TABLE written ()")


SCHEMA = build_sample_schema(Query, Mutation)


async def test_all_fields_of_a_query_read_one_snapshot(database: Database) -> None:
    answer = await SCHEMA.execute("{ a: moment b: moment c: moment }", None, Context(Principal()))

    assert answer.errors is None
    assert answer.data is not None
    assert len(set(answer.data.values())) == 1
    assert "'only': 'on'" in answer.data["a"]


async def test_a_query_cannot_write(database: Database) -> None:
    answer = await SCHEMA.execute("{ write }", None, Context(Principal()))

    assert answer.data == {"write": None}
    assert answer.errors is not None
    assert answer.errors[0].extensions is not None
    assert answer.errors[0].extensions["code"] == "INTERNAL"


async def test_introspection_needs_no_database() -> None:
    answer = await SCHEMA.execute("{ __typename __schema { queryType { name } } }", None, None)

    assert answer.errors is None
