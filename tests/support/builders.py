"""Records for tests, made directly: no rule is asked. Operations are tested through ``command``."""

from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4

import asyncpg
from tortoise.models import Model

from policies.engine import Edition
from policies.rulebook import RuleBook
from policies.vocabulary import VOCABULARY
from registry.access.authorizer import authorizer
from registry.access.principals import NIL, Principal, Viewer
from registry.access.rulebook_store import BUNDLED_RULEBOOK, store_rulebook
from registry.commands.command import CommandResult, execute_command
from registry.commands.operation import Operation
from registry.db.session import fetch_one
from registry.kernel.identifiers import credit_check_digit, organisation_check_digit
from registry.ledger.records import Freeze
from registry.parties.records import Appointment, Client, Organisation, Person, Sanction
from registry.parties.rules import role_of, side_of

R = TypeVar("R", bound=Model)

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
PROVINCE, TANGSHAN, LANGFANG = "130000", "130200", "131000"

_book = RuleBook.load(BUNDLED_RULEBOOK, VOCABULARY)
_editions: dict[int, Edition] = {}


async def install_rules(owner: asyncpg.Connection) -> None:
    """The shipped rule book is the newest edition, and the gate judges by it."""
    version = await store_rulebook(owner, _book)
    if version not in _editions:
        _editions[version] = Edition(_book, version)
    authorizer.activate(_editions[version])


async def stop_clock(owner: asyncpg.Connection, at: datetime) -> None:
    """Stop the registry's clock at ``at``."""
    await owner.execute("UPDATE registry_clock SET base_time = $1, running_since = NULL", at)


async def create_organisation(
    kind: str = "enterprise",
    *,
    city: str = TANGSHAN,
    county: str = "",
    name: str = "",
    **columns: object,
) -> Organisation:
    """An open organisation of a kind, in a city or one of its counties; other columns by name."""
    values: dict[str, Any] = {
        "credit_code": None,
        "division": county or city,
        "state": "open",
        "registered_at": LONG_AGO,
        "changed_at": LONG_AGO,
    } | columns
    return await Organisation.create(
        id=uuid4(),
        kind=kind,
        name=name or f"{kind} {uuid4().hex[:8]}",
        city=city,
        county=county,
        **values,
    )


async def get_province() -> Organisation:
    """The provincial department, which there is once."""
    found = await Organisation.get_or_none(kind="province", state="open")
    return found or await create_organisation("province", city=PROVINCE)


async def get_centre() -> Organisation:
    """The trading centre, which there is once."""
    found = await Organisation.get_or_none(kind="centre", state="open")
    return found or await create_organisation("centre", city=PROVINCE)


async def create_person(
    organisation: Organisation, *, subject: str = "", **columns: object
) -> Person:
    """A person of an organisation."""
    subject = subject or f"person-{uuid4().hex[:12]}"
    values: dict[str, Any] = {
        "name": subject,
        "appointed_externally": False,
        "changed_at": LONG_AGO,
    } | columns
    return await Person.create(
        id=uuid4(),
        subject=subject,
        organisation_id=organisation.id,
        side=side_of(organisation.kind),
        **values,
    )


async def create_officer(
    organisation: Organisation,
    *,
    may_initiate: bool = True,
    may_approve: bool = True,
    person: Person | None = None,
    **columns: object,
) -> Appointment:
    """An appointment in force, of a new person unless one is given; other columns by name."""
    holder = person or await create_person(organisation)
    proposed_by, countersigned_by = uuid4(), uuid4()
    values: dict[str, Any] = {
        "role": role_of(organisation.kind),
        "division": organisation.division,
        "valid_from": LONG_AGO,
        "appointed_externally": False,
        "state": "in_force",
        "submitted_by": proposed_by,
        "submitting_organisation": organisation.id,
        "signatories": [proposed_by, countersigned_by],
        "changed_at": LONG_AGO,
    } | columns
    return await Appointment.create(
        id=uuid4(),
        person_id=holder.id,
        side=side_of(organisation.kind),
        organisation_id=organisation.id,
        may_initiate=may_initiate,
        may_approve=may_approve,
        **values,
    )


async def create_officer_of(kind: str, **place: str) -> Appointment:
    """An officer who may do everything, of a new organisation, or of the one province or centre."""
    single = {"province": get_province, "centre": get_centre}.get(kind)
    return await create_officer(
        await single() if single else await create_organisation(kind, **place)
    )


async def create_sanction(organisation: Organisation, **columns: object) -> Sanction:
    """A sanction of the province in force without an end."""
    values: dict[str, Any] = {
        "kind": "penalty_period",
        "reason": "discharge above the limit",
        "source": "decision 2022-17",
        "starts_at": LONG_AGO,
        "state": "in_force",
        "submitted_by": uuid4(),
        "submitting_organisation": columns.get("submitting_organisation")
        or (await get_province()).id,
        "changed_at": LONG_AGO,
    } | columns
    return await Sanction.create(
        id=uuid4(),
        organisation_id=organisation.id,
        city=organisation.city,
        county=organisation.county,
        **values,
    )


async def create_freeze(organisation: Organisation, **columns: object) -> Freeze:
    """A freeze of the whole organisation in force without an end."""
    values: dict[str, Any] = {
        "reason": "property preservation",
        "source": "order 2022-5",
        "starts_at": LONG_AGO,
        "state": "in_force",
        "submitted_by": uuid4(),
        "submitting_organisation": organisation.id,
        "changed_at": LONG_AGO,
    } | columns
    return await Freeze.create(
        id=uuid4(),
        target="organisation",
        organisation_id=organisation.id,
        city=organisation.city,
        county=organisation.county,
        **values,
    )


async def create_client(organisation: Organisation, *scopes: str, **columns: object) -> Client:
    """A program of an organisation with these scopes."""
    values: dict[str, Any] = {
        "name": f"client-{uuid4().hex[:8]}",
        "state": "open",
        "changed_at": LONG_AGO,
    } | columns
    return await Client.create(
        id=uuid4(), organisation_id=organisation.id, scopes=list(scopes), **values
    )


async def principal_of(who: Appointment | Person, *, client: str = "") -> Principal:
    """The principal of an officer: with a given appointment, or without one."""
    if isinstance(who, Person):
        return Principal(subject=who.subject, client=client)
    person = await Person.get(id=who.person_id)
    return Principal(subject=person.subject, appointment_id=who.id, client=client)


def viewer_of(appointment: Appointment, *, now: datetime | None = None) -> Viewer:
    """The appointment as facts see it, in force and with nothing against it."""
    return Viewer(
        role=appointment.role,
        now=now or datetime.now(UTC),
        person=appointment.person_id,
        appointment_id=appointment.id,
        organisation=appointment.organisation_id,
        division=appointment.division,
        may_initiate=appointment.may_initiate,
        may_approve=appointment.may_approve,
        is_authority=appointment.role in {"province", "centre", "city", "county"},
    )


def build_viewer(role: str, *, division: str = "", **fields: object) -> Viewer:
    """A viewer without any row: of no organisation, unless one is given."""
    values: dict[str, Any] = {"person": NIL, "organisation": NIL} | fields
    return Viewer(role=role, now=datetime.now(UTC), division=division, **values)


def make_credit_code(number: int, *, division: str = TANGSHAN) -> str:
    """A unified social credit code with right check digits, another for each number below 10^8."""
    body = f"{number:08d}"
    code = f"91{division}{body}{organisation_check_digit(body)}"
    return code + credit_check_digit(code)


async def perform(
    operation: Operation[R],
    who: Appointment | Principal,
    *,
    key: str = "",
    preview: bool = False,
    **args: object,
) -> CommandResult[R]:
    """Carry out an operation as one officer, under a key of its own unless one is given."""
    caller = who if isinstance(who, Principal) else await principal_of(who)
    return await execute_command(operation, caller, args, key=key or str(uuid4()), preview=preview)


async def count_audit_entries() -> int:
    """How many acts were written."""
    found = await fetch_one("SELECT count(*) AS acts FROM audit_entry")
    return int(found["acts"]) if found else 0
