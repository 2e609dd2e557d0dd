"""Fixture of the state machine: one clone, one loop, holders, rights, and a quick reset."""

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

from registry.access.principals import Principal
from registry.commands.command import CommandResult, execute_command
from registry.commands.operation import CommandContext, Operation
from registry.concepts import CONCEPTS, open_registry, verify_registry
from registry.db.errors import sqlstate_of
from registry.db.session import close_database, fetch_all
from registry.kernel.errors import Refused
from registry.ledger.facts import ACCOUNT
from registry.ledger.invariants import LEDGER_INVARIANTS
from registry.ledger.journal import ensure_account, ensure_instrument, post_entry
from registry.ledger.records import Account
from registry.ledger.rules import (
    ISSUANCE_ACCOUNT,
    MONEY_INSTRUMENT,
    OUTSIDE_ACCOUNT,
    AccountKind,
    Acquisition,
    EntryKind,
    Posting,
    Right,
)
from registry.ledger.verification import all_checks
from registry.parties.records import Organisation
from tests.ledger.ledger_builders import OPENING
from tests.ledger.reference_model import Key, ModelAccount, ModelInstrument, Move, ReferenceModel
from tests.support.builders import (
    LANGFANG,
    TANGSHAN,
    create_officer,
    create_officer_of,
    create_organisation,
    get_centre,
    install_rules,
    principal_of,
)
from tests.support.cluster import Server, clone_database

HOLDING, ESCROW, RESERVE = AccountKind.HOLDING, AccountKind.ESCROW, AccountKind.RESERVE
CAP = 300
ENDS = date(2022, 6, 20)
LEDGER_CHECKS_COVERED = {check.name for check in LEDGER_INVARIANTS} | {"acts_have_their_effect"}
FILLED = "audit_entry, entry, balance, freeze_order, reversal"

# Between two examples all rows that depend on audit entries go; edits stay forbidden.
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

_SNAPSHOT = """
    SELECT (SELECT count(*) FROM audit_entry) AS audit_entry,
        (SELECT count(*) FROM idempotency_key) AS idempotency_key,
        (SELECT count(*) FROM entry) AS entry,
        (SELECT count(*) FROM posting) AS posting,
        (SELECT count(*) FROM bank_reference) AS bank_reference,
        (SELECT count(*) FROM bank_reference WHERE released_by IS NOT NULL) AS released,
        (SELECT count(*) FROM account) AS account,
        (SELECT count(*) FROM instrument) AS instrument,
        ARRAY(SELECT (account_id, instrument_id, quantity, sequence, recorded_at) FROM balance)
            AS balances,
        ARRAY(SELECT (id, state) FROM freeze_order UNION ALL SELECT (id, state) FROM reversal)
            AS states,
        (SELECT id FROM entry WHERE audit_entry_id = $1) AS written
"""
_VIOLATED = " UNION ALL ".join(
    f"SELECT '{check.name}' WHERE EXISTS (SELECT FROM ({check.sql}) AS offence)"
    for check in all_checks(CONCEPTS)
    if check.name in LEDGER_CHECKS_COVERED
)
_PAST = """
    SELECT account, instrument, balance_as_recorded(account, instrument, $3) AS known,
        balance_as_effective(account, instrument, $4, $3) AS effective
    FROM unnest($1::uuid[], $2::uuid[]) AS asked (account, instrument)
"""


async def _anchor(_work: CommandContext, *, anchor: UUID, **_: object) -> Account:
    return await Account.get(id=anchor)


async def _write(work: CommandContext, account: Account, **asked: Any) -> Account:  # noqa: ANN401 - any entry
    post_entry(
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
    """The registry's response: a result, or the code of its refusal."""

    outcome: CommandResult[Any] | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class TableSnapshot:
    """Content of the tables: balances, states of freezes and reversals, numbers of rows."""

    balances: dict[Key, tuple[int, int, datetime]]
    states: dict[UUID, str]
    written: UUID | None
    counts: dict[str, int]


@dataclass
class LedgerDatabase:
    """Everything the machine asks of the database, one question after the other."""

    runner: asyncio.Runner
    owner: asyncpg.Connection
    people: dict[str, Principal]
    enterprises: list[UUID]
    city: UUID
    bank: UUID
    accounts: dict[UUID, ModelAccount]
    instruments: dict[UUID, ModelInstrument]

    def new_model(self) -> ReferenceModel:
        """An empty ledger, in the model as in the database."""
        self.runner.run(self.owner.execute(f"TRUNCATE {FILLED} CASCADE"))
        self.stop_clock(OPENING)
        return ReferenceModel(self.accounts, self.instruments, {(TANGSHAN, "SO2"): CAP}, OPENING)

    def stop_clock(self, at: datetime) -> None:
        self.runner.run(
            self.owner.execute("UPDATE registry_clock SET base_time = $1, running_since = NULL", at)
        )

    def account(self, organisation: UUID, kind: AccountKind) -> UUID:
        return next(
            place.id
            for place in self.accounts.values()
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
        """The result of a command."""
        caller = self.people[who]
        try:
            asked = execute_command(operation, caller, dict(args), key=key, preview=preview)
            return Answer(self.runner.run(asked))
        except Refused as refusal:
            return Answer(code=refusal.code)
        except (asyncpg.PostgresError, BaseORMException) as error:
            return Answer(code=sqlstate_of(error))

    def snapshot(self, act: UUID | None = None) -> TableSnapshot:
        """Everything that is there now, and which entry an act wrote."""
        found = self.runner.run(self._snapshot(act))
        balances = {
            (account, thing): tuple(rest) for account, thing, *rest in found.pop("balances")
        }
        return TableSnapshot(balances, dict(found.pop("states")), found.pop("written"), found)

    async def _snapshot(self, act: UUID | None) -> dict[str, Any]:
        found = await self.owner.fetchrow(_SNAPSHOT, act)
        assert found is not None, "counts answer one row"
        return dict(found)

    def balances_as_of(
        self, keys: Sequence[Key], known: datetime, effective: datetime
    ) -> dict[Key, tuple[int, int]]:
        """Holdings as recorded at one time, and of these as effective at another."""
        accounts, things = [key[0] for key in keys], [key[1] for key in keys]
        found = self.runner.run(fetch_all(_PAST, accounts, things, known, effective))
        return {
            (line["account"], line["instrument"]): (line["known"], line["effective"])
            for line in found
        }

    def violated_checks(self) -> set[str]:
        """The ledger's own checks that do not hold, asked in one statement."""
        return {line[0] for line in self.runner.run(self.owner.fetch(_VIOLATED))}

    def failed_verification(self) -> set[str]:
        """The same, as the registry itself verifies."""
        findings = self.runner.run(verify_registry())
        return {found.check for found in findings if not found.is_satisfied} & LEDGER_CHECKS_COVERED


def arguments_of(anchor: UUID, draft: Any) -> dict[str, Any]:  # noqa: ANN401 - the arguments of WRITE
    """The arguments of ``WRITE`` for an entry."""
    moves: tuple[Move, ...] = draft.movements
    return {
        "anchor": anchor,
        "kind": draft.kind.value,
        "moves": moves,
        "effective": draft.effective,
        "reference": draft.reference,
    }


@contextmanager
def open_ledger_database(server: Server, template: str) -> Iterator[LedgerDatabase]:
    """A clone with three enterprises in two cities, a city's reserve, three rights and money."""
    with _silence_logs(), asyncio.Runner() as runner:
        clone = clone_database(server, template)
        database = runner.run(clone.__aenter__())
        try:
            runner.run(open_registry(database.application_url))
            owner = runner.run(asyncpg.connect(database.owner_url))
            yield runner.run(_populate(runner, owner))
            runner.run(owner.close())
        finally:
            runner.run(close_database())
            runner.run(clone.__aexit__(None, None, None))


@contextmanager
def _silence_logs() -> Iterator[None]:
    """A line for each command is too much for thousands of them."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        yield
    finally:
        structlog.configure(**before)


async def _populate(runner: asyncio.Runner, owner: asyncpg.Connection) -> LedgerDatabase:
    await install_rules(owner)
    await owner.execute(_RESETTABLE)
    await owner.execute(
        "INSERT INTO city_cap VALUES ($1, 'SO2', '2022-01-01', $2, 'a test', true)", TANGSHAN, CAP
    )
    officers = {
        "province": await create_officer_of("province"),
        "centre": await create_officer_of("centre"),
        "second": await create_officer(await get_centre()),
    }
    enterprises = [await create_organisation(city=city) for city in (TANGSHAN, TANGSHAN, LANGFANG)]
    city, bank = await create_organisation("city", city=TANGSHAN), await create_organisation("bank")
    return LedgerDatabase(
        runner,
        owner,
        {name: await principal_of(officer) for name, officer in officers.items()},
        [enterprise.id for enterprise in enterprises],
        city.id,
        bank.id,
        {place.id: place for place in await _create_accounts([*enterprises, city])},
        {thing.id: thing for thing in await _create_instruments()},
    )


async def _create_accounts(organisations: list[Organisation]) -> list[ModelAccount]:
    places = [
        ModelAccount(ISSUANCE_ACCOUNT, AccountKind.ISSUANCE),
        ModelAccount(OUTSIDE_ACCOUNT, AccountKind.OUTSIDE),
    ]
    for organisation in organisations:
        reserve = organisation.kind == "city"
        for kind in [RESERVE] if reserve else [HOLDING, ESCROW]:
            account = await ensure_account(organisation.id, kind)
            places.append(ModelAccount(account.id, kind, organisation.id, organisation.city))
    return places


async def _create_instruments() -> list[ModelInstrument]:
    """A right without end and one that ends, of one pollutant under a cap; another; money."""
    lasting = Right("SO2", TANGSHAN, Acquisition.PAID)
    ending = Right("SO2", TANGSHAN, Acquisition.PAID, valid_from=OPENING.date(), valid_until=ENDS)
    free = Right("NOX", LANGFANG, Acquisition.FREE)
    made = [(await ensure_instrument(right), right) for right in (lasting, ending, free)]
    return [
        *(
            ModelInstrument(instrument.id, right.pollutant, right.valid_until)
            for instrument, right in made
        ),
        ModelInstrument(MONEY_INSTRUMENT),
    ]
