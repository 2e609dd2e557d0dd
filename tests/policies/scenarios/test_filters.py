"""The row filter of a verb agrees with the decision on each row, for every viewer."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import asyncpg
import pytest

from policies.vocabulary import VOCABULARY
from registry.access.authorizer import RowFilter, authorizer
from registry.access.kinds import Kind
from registry.access.principals import Viewer
from registry.db.named_params import to_positional
from registry.db.session import fetch_all
from tests.architecture.test_kinds import KINDS
from tests.policies.scenarios.rows import (
    DIVISIONS,
    INSTANTS,
    Column,
    drop_constraints,
    fill,
    random_person_id,
)
from tests.support.builders import install_rules
from tests.support.cluster import Database

GOVERNED = {name: kind for name, kind in KINDS.items() if kind.facts}
ROWS, LOOKS = 120, 5
TRIPLES_PLAIN, TRIPLES_LONG = 100_000, 1_000_000
ROUNDS_LONG = 10
ALWAYS = ((0, 0),)


@dataclass
class Tally:
    """How many verdicts were compared, and which answers each cell gave."""

    compared: int = 0
    answers: Counter[tuple[str, str, str, bool]] = field(default_factory=Counter)


def random_viewer_of(
    role: str, kind: Kind, verb: str, chance: random.Random, *, ids: list[UUID]
) -> Viewer:
    """A viewer of a role: often in order, at times lapsed, barred or bound by scopes."""
    scope = f"{kind.name}:{verb}"
    return Viewer(
        role,
        chance.choice(INSTANTS),
        person=chance.choice(
            (random_person_id(chance), random_person_id(chance), chance.choice(ids))
        ),
        organisation=chance.choice(
            (random_person_id(chance), random_person_id(chance), chance.choice(ids))
        ),
        division=chance.choice(DIVISIONS),
        may_initiate=chance.random() < 0.8,
        may_approve=chance.random() < 0.8,
        scopes=chance.choice((None, None, None, frozenset({scope}), frozenset({"Permit:sing"}))),
        appointment_expired=chance.random() < 0.1,
        is_sanctioned=chance.random() < 0.1,
        is_frozen=chance.random() < 0.1,
        registry_is_empty=chance.random() < 0.5,
    )


async def select_visible(viewer: Viewer, kind: Kind, verb: str, everything: set[UUID]) -> set[UUID]:
    """The rows that PostgreSQL finds under the row filter."""
    found = authorizer.row_filter(viewer, kind, verb)
    if not isinstance(found, RowFilter):
        return everything if found else set()
    condition = found.sql.replace("{t}", "x")
    sql, values = to_positional(
        f"SELECT x.id FROM {kind.record._meta.db_table} x WHERE {condition}", found.binds
    )
    return {row["id"] for row in await fetch_all(sql, *values)}


async def compare(kind: Kind, chance: random.Random, tally: Tally) -> None:
    """Ask of all rows of a kind, for each cell that can say yes, by both ways."""
    records = await kind.record.all()
    everything = {record.pk for record in records}
    for verb in VOCABULARY.kinds[kind.name].verbs:
        for role in VOCABULARY.roles:
            if not authorizer.edition.condition(role, kind.name, verb.name):
                continue
            for _ in range(LOOKS):
                viewer = random_viewer_of(role, kind, verb.name, chance, ids=list(everything)[:3])
                allowed = {r.pk for r in records if authorizer.allows(viewer, kind, verb.name, r)}
                listed = await select_visible(viewer, kind, verb.name, everything)
                assert listed == allowed, (viewer, verb.name, listed ^ allowed)
                cell = (role, kind.name, verb.name)
                tally.compared += len(records)
                tally.answers[*cell, True] += len(allowed)
                tally.answers[*cell, False] += len(records) - len(allowed)


@dataclass(frozen=True, slots=True)
class RowGenerator:
    """A database that takes any row of these kinds."""

    owner: asyncpg.Connection
    columns: Mapping[str, Sequence[Column]]

    async def generate_rows(self, kind: Kind, seed: object) -> random.Random:
        """Random rows of a kind, the same for the same seed; the chance that goes on from there."""
        chance = random.Random(f"{kind.name} {seed}")  # noqa: S311 - known in every run
        table = kind.record._meta.db_table
        await fill(self.owner, table, self.columns[kind.name], chance, number=ROWS)
        return chance


@pytest.fixture
async def ground(owner: asyncpg.Connection, database: Database) -> RowGenerator:
    await install_rules(owner)
    tables = {name: kind.record._meta.db_table for name, kind in GOVERNED.items()}
    columns = {name: await drop_constraints(owner, table) for name, table in tables.items()}
    return RowGenerator(owner, columns)


def one_sided(tally: Tally) -> set[tuple[str, str, str]]:
    """The cells that said only yes or only no, though both can be said."""
    cells = {cell[:3] for cell in tally.answers}
    return {
        cell
        for cell in cells
        if not (tally.answers[*cell, True] and tally.answers[*cell, False])
        and authorizer.edition.condition(*cell) != ALWAYS
        and authorizer.row_filter(Viewer("public", INSTANTS[0]), KINDS[cell[1]], cell[2])
        is not True
    }


async def test_filter_and_verdict_agree_on_every_row(ground: RowGenerator) -> None:
    tally = Tally()

    for kind in GOVERNED.values():
        await compare(kind, await ground.generate_rows(kind, 0), tally)

    assert tally.compared >= TRIPLES_PLAIN


@pytest.mark.long
@pytest.mark.timeout(1200)
async def test_filter_and_verdict_agree_a_million_times(ground: RowGenerator) -> None:
    tally = Tally()

    for number in range(ROUNDS_LONG):
        for kind in GOVERNED.values():
            await compare(kind, await ground.generate_rows(kind, number), tally)

    assert tally.compared >= TRIPLES_LONG
    assert one_sided(tally) == set()


@pytest.mark.long
@pytest.mark.timeout(1200)
async def test_an_sql_predicate_that_disagrees_is_detected(ground: RowGenerator) -> None:
    for kind in GOVERNED.values():
        for name, fact in kind.facts.items():
            contrary = replace(fact, where=f"NOT ({fact.where})", index_branches=())
            lying = replace(kind, facts={**kind.facts, name: contrary})

            with pytest.raises(AssertionError):
                for number in range(ROUNDS_LONG):
                    await compare(lying, await ground.generate_rows(kind, number), Tally())


async def test_no_list_that_a_fact_reads_has_gaps(owner: asyncpg.Connection) -> None:
    """A null in a list makes ``= ANY`` neither true nor false, and ``NOT`` of that finds no row."""
    lists = await owner.fetch(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND udt_name = '_uuid' AND table_name = ANY($1)",
        [kind.record._meta.db_table for kind in GOVERNED.values()],
    )
    assert lists

    for table, column in lists:
        checks = await owner.fetch(
            "SELECT pg_get_constraintdef(oid) AS said FROM pg_constraint"
            " WHERE conrelid = $1::regclass AND contype = 'c'",
            table,
        )
        assert any(f"array_position({column}, NULL::uuid) IS NULL" in c["said"] for c in checks), (
            table,
            column,
        )
