"""The ground a state machine stands on: one clone, one loop, holders, rights, and a quick reset."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from tortoise.exceptions import BaseORMException

from registry.access.principals import Caller
from registry.commands.command import Operation, Outcome, Work, command
from registry.db.session import close_database, open_database, rows, state_of
from registry.kernel.errors import Refused
from registry.ledger.facts import ACCOUNT
from registry.ledger.invariants import LEDGER_CHECKS, checks, verify
from registry.ledger.journal import ensure_account, ensure_instrument, post
from registry.ledger.records import Account
from registry.ledger.rules import (
    ISSUANCE,
    MONEY,
    OUTSIDE,
    AccountKind,
    Acquisition,
    EntryKind,
    Posting,
    Right,
)
from registry.parties.records import Organisation
from tests.ledger.ledger_builders import OPENING
from tests.ledger.reference_model import Book, Key, Move, Place, Thing
from tests.support.builders import (
    LANGFANG,
    TANGSHAN,
    an_officer,
    an_officer_of,
    an_organisation,
    caller_of,
    install_rules,
    the_centre,
)
from tests.support.cluster import Server, a_clone

HOLDING, ESCROW, RESERVE = AccountKind.HOLDING, AccountKind.ESCROW, AccountKind.RESERVE
CAP = 300
ENDS = date(2022, 6, 20)
OURS = {check.name for check in LEDGER_CHECKS} | {"acts_have_their_effect"}
FILLED = "act, entry, balance, freeze_order, reversal"

# Between two examples everything goes that hangs on acts and entries; edits stay forbidden.
_RESETTABLE = """
DO $$ DECLARE kept record; BEGIN
    FOR kept IN SELECT tgname AS name, tgrelid::regclass AS place FROM pg_trigger
        WHERE NOT tgisinternal AND tgfoid = 'append_only'::regproc
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', kept.name, kept.place);
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE ON %s
            FOR EACH STATEMENT EXECUTE FUNCTION append_only()', kept.name, kept.place);
    END LOOP;
END $$;
"""

_LOOK = """
    SELECT (SELECT count(*) FROM act) AS act,
        (SELECT count(*) FROM idempotency_key) AS idempotency_key,
        (SELECT count(*) FROM entry) AS entry,
        (SELECT count(*) FROM posting) AS posting,
        (SELECT count(*) FROM bank_reference) AS bank_reference,
        (SELECT count(*) FROM bank_reference WHERE released_by IS NOT NULL) AS released,
        (SELECT count(*) FROM account) AS account,
        (SELECT count(*) FROM instrument) AS instrument,
        ARRAY(SELECT (account_id, instrument_id, quantity, sequence, known_at) FROM balance)
            AS balances,
        ARRAY(SELECT (id, state) FROM freeze_order UNION ALL SELECT (id, state) FROM reversal)
            AS states,
        (SELECT id FROM entry WHERE act_id = $1) AS written
"""
_OFFENDED = " UNION ALL ".join(
    f"SELECT '{check.name}' WHERE EXISTS (SELECT FROM ({check.sql}) AS offence)"
    for check in checks()
    if check.name in OURS
)
_PAST = """
    SELECT account, instrument, balance_as_known(account, instrument, $3) AS known,
        balance_as_effective(account, instrument, $4, $3) AS effective
    FROM unnest($1::uuid[], $2::uuid[]) AS asked (account, instrument)
"""


async def _anchor(_work: Work, *, anchor: UUID, **_: object) -> Account:
    return await Account.get(id=anchor)


async def _write(work: Work, account: Account, **asked: Any) -> Account:  # noqa: ANN401 - any entry
    await post(
        work,
        EntryKind(asked["kind"]),
        [Posting(*move) for move in asked["moves"]],
        effective_at=asked["effective"],
        reference=asked["reference"] or None,
    )
    return account


WRITE: Operation[Account] = Operation(
    "write_any_entry", ACCOUNT, "open_holding", _anchor, (), _write
)
"""Any entry at all, in the whole frame of a write; the verb is one that always posts."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the registry answered: an outcome, or the code of its refusal."""

    outcome: Outcome[Any] | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What the tables say: balances, where freezes and reversals stand, how many rows there are."""

    balances: dict[Key, tuple[int, int, datetime]]
    states: dict[UUID, str]
    written: UUID | None
    counts: dict[str, int]


@dataclass
class Ground:
    """Everything the machine asks of the database, one question after the other."""

    runner: asyncio.Runner
    owner: asyncpg.Connection
    people: dict[str, Caller]
    enterprises: list[UUID]
    city: UUID
    bank: UUID
    places: dict[UUID, Place]
    things: dict[UUID, Thing]

    def book(self) -> Book:
        """An empty ledger, in the model as in the database."""
        self.runner.run(self.owner.execute(f"TRUNCATE {FILLED} CASCADE"))
        self.stop_clock(OPENING)
        return Book(self.places, self.things, {(TANGSHAN, "SO2"): CAP}, OPENING)

    def stop_clock(self, at: datetime) -> None:
        self.runner.run(
            self.owner.execute("UPDATE registry_clock SET reads = $1, since = NULL", at)
        )

    def account(self, organisation: UUID, kind: AccountKind) -> UUID:
        return next(
            place.id
            for place in self.places.values()
            if (place.organisation, place.kind) == (organisation, kind)
        )

    def ask(
        self,
        who: str,
        operation: Operation[Any],
        args: dict[str, Any],
        *,
        key: str,
        preview: bool = False,
    ) -> Answer:
        """What becomes of a command."""
        caller = self.people[who]
        try:
            asked = command(operation, caller, dict(args), key=key, preview=preview)
            return Answer(self.runner.run(asked))
        except Refused as refusal:
            return Answer(code=refusal.code)
        except (asyncpg.PostgresError, BaseORMException) as error:
            return Answer(code=state_of(error))

    def look(self, act: UUID | None = None) -> Look:
        """Everything that is there now, and which entry an act wrote."""
        found = self.runner.run(self._look(act))
        balances = {
            (account, thing): tuple(rest) for account, thing, *rest in found.pop("balances")
        }
        return Look(balances, dict(found.pop("states")), found.pop("written"), found)

    async def _look(self, act: UUID | None) -> dict[str, Any]:
        found = await self.owner.fetchrow(_LOOK, act)
        assert found is not None, "counts answer one row"
        return dict(found)

    def past(
        self, keys: Sequence[Key], known: datetime, effective: datetime
    ) -> dict[Key, tuple[int, int]]:
        """What was held as known at one moment, and of that by what took effect by another."""
        accounts, things = [key[0] for key in keys], [key[1] for key in keys]
        found = self.runner.run(rows(_PAST, accounts, things, known, effective))
        return {
            (line["account"], line["instrument"]): (line["known"], line["effective"])
            for line in found
        }

    def offended(self) -> set[str]:
        """The ledger's own checks that do not hold, asked in one statement."""
        return {line[0] for line in self.runner.run(self.owner.fetch(_OFFENDED))}

    def verified(self) -> set[str]:
        """The same, as the registry itself verifies."""
        findings = self.runner.run(verify())
        return {found.check for found in findings if not found.sound} & OURS


def asked_of(anchor: UUID, draft: Any) -> dict[str, Any]:  # noqa: ANN401 - the arguments of WRITE
    """The arguments of ``WRITE`` for an entry."""
    moves: tuple[Move, ...] = draft.moves
    return {
        "anchor": anchor,
        "kind": draft.kind.value,
        "moves": moves,
        "effective": draft.effective,
        "reference": draft.reference,
    }


@contextmanager
def a_ground(server: Server, template: str) -> Iterator[Ground]:
    """A clone with three enterprises in two cities, a city's reserve, three rights and money."""
    with _quiet(), asyncio.Runner() as runner:
        clone = a_clone(server, template)
        database = runner.run(clone.__aenter__())
        try:
            runner.run(open_database(database.application_url))
            owner = runner.run(asyncpg.connect(database.owner_url))
            yield runner.run(_settled(runner, owner))
            runner.run(owner.close())
        finally:
            runner.run(close_database())
            runner.run(clone.__aexit__(None, None, None))


@contextmanager
def _quiet() -> Iterator[None]:
    """A line for each command is too much for thousands of them."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        yield
    finally:
        structlog.configure(**before)


async def _settled(runner: asyncio.Runner, owner: asyncpg.Connection) -> Ground:
    await install_rules(owner)
    await owner.execute(_RESETTABLE)
    await owner.execute(
        "INSERT INTO city_cap VALUES ($1, 'SO2', '2022-01-01', $2, 'a test', true)", TANGSHAN, CAP
    )
    officers = {
        "province": await an_officer_of("province"),
        "centre": await an_officer_of("centre"),
        "second": await an_officer(await the_centre()),
    }
    enterprises = [await an_organisation(city=city) for city in (TANGSHAN, TANGSHAN, LANGFANG)]
    city, bank = await an_organisation("city", city=TANGSHAN), await an_organisation("bank")
    return Ground(
        runner,
        owner,
        {name: await caller_of(officer) for name, officer in officers.items()},
        [enterprise.id for enterprise in enterprises],
        city.id,
        bank.id,
        {place.id: place for place in await _places([*enterprises, city])},
        {thing.id: thing for thing in await _things()},
    )


async def _places(organisations: list[Organisation]) -> list[Place]:
    places = [Place(ISSUANCE, AccountKind.ISSUANCE), Place(OUTSIDE, AccountKind.OUTSIDE)]
    for organisation in organisations:
        reserve = organisation.kind == "city"
        for kind in [RESERVE] if reserve else [HOLDING, ESCROW]:
            account = await ensure_account(organisation.id, kind)
            places.append(Place(account.id, kind, organisation.id, organisation.city))
    return places


async def _things() -> list[Thing]:
    """A right without end and one that ends, of one pollutant under a cap; another; money."""
    lasting = Right("SO2", TANGSHAN, Acquisition.PAID)
    ending = Right("SO2", TANGSHAN, Acquisition.PAID, valid_from=OPENING.date(), valid_until=ENDS)
    free = Right("NOX", LANGFANG, Acquisition.FREE)
    made = [(await ensure_instrument(right), right) for right in (lasting, ending, free)]
    return [
        *(Thing(instrument.id, right.pollutant, right.valid_until) for instrument, right in made),
        Thing(MONEY),
    ]
