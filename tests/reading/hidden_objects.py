"""Objects that one viewer does not see: put into a world, and taken out of it again.

The policy engine decides visibility on the object itself, without a row filter.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID, uuid4

import asyncpg

from registry.access.authorizer import authorizer
from registry.access.kinds import Kind
from registry.access.principals import Viewer
from registry.ledger.rules import MONEY_INSTRUMENT
from registry.reading.catalog import Catalog

OBJECTS_PER_KIND = 8

_COLUMNS = """
    SELECT attname AS name FROM pg_attribute
    WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""
_UNIQUE_VALUES = {
    "person": {"subject": "'hidden-' || gen_random_uuid()"},
    "client": {"name": "'hidden-' || substr(gen_random_uuid()::text, 1, 20)"},
    "account": {
        "kind": "'escrow'",
        "organisation_id": """(
            SELECT o.id FROM organisation o WHERE NOT EXISTS (
                SELECT FROM account a WHERE a.organisation_id = o.id AND a.kind = 'escrow'
            ) ORDER BY random() LIMIT 1
        )""",
        "issuer": "false",
    },
}
"""Columns that must differ in a copy."""

_CHILDREN = {
    "agreement": {"agreement_party": "agreement_id", "milestone": "agreement_id"},
    "transfer": {"transfer_comment": "transfer_id", "transfer_opinion": "transfer_id"},
    "client": {"persisted_query": "client_id"},
}
_BALANCES = """
    INSERT INTO balance (account_id, instrument_id, quantity, issuer, sequence, recorded_at)
    SELECT $1, id, 7, false, 1, now() FROM instrument ORDER BY id LIMIT 3
"""

Hidden = Mapping[str, list[UUID]]


async def insert_hidden(owner: asyncpg.Connection, viewer: Viewer, catalogue: Catalog) -> Hidden:
    """Copies of objects of every kind, those that the viewer does not see; and their children."""
    hidden: dict[str, list[UUID]] = defaultdict(list)
    for of in catalogue.values():
        if of.kind is None or authorizer.row_filter(viewer, of.kind, "view") is True:
            continue
        for original in await owner.fetch(f"SELECT id FROM {of.table} ORDER BY random()"):
            if len(hidden[of.name]) == OBJECTS_PER_KIND:
                break
            made = await _copy_row(owner, of.table, original["id"])
            if made is None:
                continue
            if await _is_visible(viewer, of.kind, made):
                await owner.execute(f"DELETE FROM {of.table} WHERE id = $1", made)
                continue
            hidden[of.name].append(made)
            await _copy_children(owner, of.table, original["id"], made)
    await _reference_hidden(owner, hidden)
    return hidden


async def _reference_hidden(owner: asyncpg.Connection, hidden: Hidden) -> None:
    """Let what may be seen lead to what may not."""
    people = hidden.get("Person", [])
    if people:
        await owner.execute(
            "UPDATE audit_entry SET person_id = ($1::uuid[])[1 + abs(hashtext(id::text)) % $2]",
            people,
            len(people),
        )
        await owner.execute(
            "UPDATE appointment SET submitted_by = $1, signatories = signatories || $1::uuid"
            " WHERE id <> ALL ($2)",
            people[0],
            hidden.get("Appointment", []),
        )
    links = [{"kind": kind, "id": str(id)} for kind, ids in hidden.items() for id in ids[:4]]
    await owner.execute(
        "UPDATE milestone SET links = $1::jsonb || links WHERE links <> '[]'", json.dumps(links)
    )


async def assert_nothing_visible(
    owner: asyncpg.Connection, hidden: Hidden, catalogue: Catalog
) -> None:
    """Take the hidden objects out of the world."""
    for kind, ids in reversed(list(hidden.items())):
        table = catalogue[kind].table
        for child, column in (*_CHILDREN.get(table, {}).items(), ("audit_entry", "object_id")):
            await owner.execute(f"DELETE FROM {child} WHERE {column} = ANY($1)", ids)
        if table == "account":
            await owner.execute("DELETE FROM balance WHERE account_id = ANY($1)", ids)
        await owner.execute(f"DELETE FROM {table} WHERE id = ANY($1)", ids)


async def change_masked_columns(
    owner: asyncpg.Connection, viewer: Viewer, catalogue: Catalog
) -> int:
    """Give masked fields other values on every row whose mask stays for the viewer; how many."""
    changed = 0
    for (kind, verb), sql in _MASKED.items():
        of = catalogue[kind]
        assert of.kind is not None, kind
        for record in await of.kind.record.all():
            if not authorizer.allows(viewer, of.kind, verb, record):
                status = await owner.execute(sql, record.pk)
                changed += int(status.rpartition(" ")[2])
    return changed


_MASKED = {
    ("Organisation", "view_details"): """
        UPDATE organisation SET installed_mw = coalesce(installed_mw, 0) % 1000 + 1,
            two_representatives = NOT two_representatives WHERE id = $1""",
    ("Transfer", "view_price"): """
        UPDATE transfer SET price_fen = price_fen % 1000 + 1, sum_fen = sum_fen % 1000 + 1,
            bank_reference = CASE bank_reference WHEN '' THEN '' ELSE bank_reference || 'x' END
        WHERE id = $1""",
    ("Permit", "view_limits"): """
        UPDATE permit_limit SET quantity = quantity % 1000 + 1 WHERE permit_id = $1""",
    ("ConstructionProject", "view_demand"): """
        UPDATE project_demand SET quantity = coalesce(quantity, 0) % 1000 + 1
        WHERE project_id = $1""",
    ("Account", "view_money"): f"""
        UPDATE balance SET quantity = abs(quantity) % 1000 + 1
        WHERE account_id = $1 AND instrument_id = '{MONEY_INSTRUMENT}'""",
}  # fmt: skip


async def _is_visible(viewer: Viewer, kind: Kind, id: UUID) -> bool:
    record = await kind.record.get(id=id)
    return authorizer.allows(viewer, kind, "view", record)


async def _copy_row(owner: asyncpg.Connection, table: str, original: UUID) -> UUID | None:
    """A copy under a new key; None where the table's own rules let no such in."""
    made = uuid4()
    taken = _UNIQUE_VALUES.get(table, {}) | {"id": f"'{made}'"}
    columns = [line["name"] for line in await owner.fetch(_COLUMNS, table)]
    copied = ", ".join(taken.get(column, f'"{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    try:
        async with owner.transaction():
            await owner.execute(
                f"INSERT INTO {table} ({names}) SELECT {copied} FROM {table} WHERE id = $1",
                original,
            )
    except asyncpg.IntegrityConstraintViolationError:
        return None
    return made


async def _copy_children(owner: asyncpg.Connection, table: str, original: UUID, made: UUID) -> None:
    children = {**_CHILDREN.get(table, {}), "audit_entry": "object_id"}
    for child, column in children.items():
        columns = [line["name"] for line in await owner.fetch(_COLUMNS, child)]
        own = {column: f"'{made}'", "id": "gen_random_uuid()"}
        copied = ", ".join(own.get(each, f'"{each}"') for each in columns)
        names = ", ".join(f'"{each}"' for each in columns)
        await owner.execute(
            f"INSERT INTO {child} ({names}) SELECT {copied} FROM {child} WHERE {column} = $1",
            original,
        )
    if table == "account":
        await owner.execute(_BALANCES, made)
