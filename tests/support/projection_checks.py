"""Holds the two faces of every fact together: what Python says of a record, SQL says of its row."""

from collections.abc import Sequence

from registry.access.kinds import Kind
from registry.access.principals import Viewer
from registry.db.named_params import to_positional
from registry.db.session import fetch_all


async def assert_predicates_agree(kind: Kind, viewers: Sequence[Viewer]) -> None:
    """Every fact of ``kind`` answers true or false alike, by both faces, for every row and viewer.

    Asked of all rows the test has made; there must be some.
    """
    records = await kind.record.all()
    assert records, f"there is no {kind.name} to ask about"
    for viewer in viewers:
        for name, fact in kind.facts.items():
            by_row = await _answers(kind, fact.where, viewer)
            by_record = {record.pk: fact.check(viewer, record) for record in records}
            assert by_row == by_record, f"{kind.name}.{name} for {viewer.role}"


async def _answers(kind: Kind, where: str, viewer: Viewer) -> dict[object, bool | None]:
    meta = kind.record._meta
    condition = where.replace("{t}", "x")
    sql, values = to_positional(
        f"SELECT x.{meta.db_pk_column} AS id, ({condition}) AS answer FROM {meta.db_table} x",
        viewer.bind_values(),
    )
    return {line["id"]: line["answer"] for line in await fetch_all(sql, *values)}
