"""The files of the founding day: which operation each row carries out, and what its cells say."""

from pathlib import Path

from registry.agreements.operations import draft_agreement, sign_agreement
from registry.ledger.operations import impose_freeze, open_holding, open_reserve
from registry.parties.bootstrap import Founder
from registry.parties.operations import (
    appoint,
    bootstrap,
    close_organisation,
    countersign_appointment,
    impose_sanction,
    register_client,
    register_organisation,
    register_person,
)
from registry.permits.operations import register_permit
from registry.permits.projects import assess_demand, record_assessment, register_project
from registry.transfers.approval import (
    approve_transfer,
    comment_on_transfer,
    opine_on_transfer,
    qualify_transfer,
    reject_transfer,
)
from registry.transfers.offer import (
    accept_transfer,
    countersign_transfer,
    draft_transfer,
    offer_transfer,
    withdraw_transfer,
)
from registry.transfers.settlement import (
    contract_transfer,
    declare_default,
    expire_transfer,
    record_payment,
    settle_transfer,
)
from seeds.csv_reader import count, maybe_text, text, truth
from seeds.demo.scenario_csv import (
    Act,
    Columns,
    Part,
    Sheet,
    maybe,
    moment,
    named,
    plain_day,
    read_acts,
    sold,
    yuan,
)

FOLDER = Path(__file__).parent / "founding_day"
ENDS = moment("2022-06-07 10:00")

_SOURCE: Columns = {"source": text, "demo": truth}
_STOCK: Columns = {
    "organisation": named,
    "pollutant": text,
    "quantity": text,
    "basin": maybe_text,
}


def _words(said: str) -> list[str]:
    return said.split("|") if said else []


def _topic(*, topic: str) -> str:
    return topic


BEGINNING = Sheet(
    "beginning.csv",
    (bootstrap,),
    {"name": text, "division": text, "source": text},
    parts=(
        Part("founders.csv", "founders", {"subject": text, "name": text, "demo": truth}, Founder),
    ),
)
ORGANISATIONS = Sheet(
    "organisations.csv",
    (register_organisation,),
    {
        "kind": text,
        "name": text,
        "name_en": maybe_text,
        "credit_code": maybe_text,
        "division": text,
        "source_category": maybe_text,
        "industry": maybe_text,
        "thermal_power": truth,
        "installed_mw": maybe(count),
        "two_representatives": truth,
        **_SOURCE,
    },
)
PEOPLE = Sheet(
    "people.csv",
    (register_person,),
    {"organisation": named, "subject": text, "name": text, "demo": truth},
)
APPOINTMENTS = Sheet(
    "appointments.csv",
    (appoint,),
    {
        "person": named,
        "organisation": named,
        "valid_until": maybe(moment),
        "may_initiate": truth,
        "may_approve": truth,
        "demo": truth,
    },
)
COUNTERSIGNATURES = Sheet("countersignatures.csv", (countersign_appointment,), {"of": named})
CLIENTS = Sheet(
    "clients.csv",
    (register_client,),
    {"organisation": named, "name": text, "scopes": _words, "house": truth, "demo": truth},
)
CLOSURES = Sheet("closures.csv", (close_organisation,), {"of": named})
RESERVES = Sheet("reserves.csv", (open_reserve,), {**_STOCK, **_SOURCE})
HOLDINGS = Sheet(
    "holdings.csv",
    (open_holding,),
    {**_STOCK, "acquisition": text, "valid_from": plain_day, **_SOURCE},
)
PERMITS = Sheet(
    "permits.csv",
    (register_permit,),
    {
        "organisation": named,
        "number": text,
        "issued_by": text,
        "category": text,
        "valid_from": plain_day,
        "valid_until": plain_day,
        **_SOURCE,
    },
    parts=(
        Part("permit_limits.csv", "limits", {"pollutant": text, "quantity": text}),
        Part("outlets.csv", "outlets", {"code": text, "river_system": maybe_text}),
    ),
)
PROJECTS = Sheet(
    "projects.csv",
    (register_project,),
    {"organisation": named, "name": text, "division": text, **_SOURCE},
)
DEMANDS = Sheet(
    "demands.csv",
    (assess_demand,),
    {"of": named, **_SOURCE},
    parts=(Part("demanded.csv", "demands", {"pollutant": text, "quantity": maybe_text}),),
)
ASSESSMENTS = Sheet(
    "assessments.csv",
    (record_assessment,),
    {
        "city": text,
        "year": count,
        "medium": text,
        "quality_attained": truth,
        "reduction_task_done": truth,
        "improvement_target_met": truth,
        **_SOURCE,
    },
)
SANCTIONS = Sheet(
    "sanctions.csv",
    (impose_sanction,),
    {"organisation": named, "kind": text, "ends_at": maybe(moment), "reason": text, **_SOURCE},
)
FREEZES = Sheet(
    "freezes.csv",
    (impose_freeze,),
    {
        "account": named,
        "instrument": sold,
        "ends_at": maybe(moment),
        "reason": text,
        **_SOURCE,
    },
)
TRANSFERS = Sheet(
    "transfers.csv",
    (draft_transfer,),
    {
        "buyer": named,
        "instrument": sold,
        "quantity": text,
        "price": yuan,
        "note": maybe_text,
        "announced_on": maybe(plain_day),
        "announcement": maybe_text,
    },
)
STEPS = Sheet(
    "transfer_steps.csv",
    (
        offer_transfer,
        countersign_transfer,
        accept_transfer,
        comment_on_transfer,
        qualify_transfer,
        opine_on_transfer,
        approve_transfer,
        reject_transfer,
        contract_transfer,
        record_payment,
        settle_transfer,
        withdraw_transfer,
        declare_default,
        expire_transfer,
    ),
    {
        "of": named,
        "accept_by": maybe(plain_day),
        "contract_number": maybe_text,
        "money": maybe(yuan),
        "reference": maybe_text,
        "side": maybe_text,
        "favourable": maybe(truth),
        "reasons": maybe_text,
        "reason": maybe_text,
        "text": maybe_text,
    },
)
AGREEMENTS = Sheet(
    "agreements.csv",
    (draft_agreement,),
    {"kind": text, "title": text, "visibility": text, "event": text, **_SOURCE},
    parts=(
        Part("agreement_topics.csv", "topics", {"topic": text}, _topic),
        Part("agreement_parties.csv", "parties", {"organisation": named, "capacity": text}),
    ),
)
SIGNATURES = Sheet("signatures.csv", (sign_agreement,), {"of": named})

PARTIES = (BEGINNING, ORGANISATIONS, PEOPLE, APPOINTMENTS, COUNTERSIGNATURES, CLIENTS)
SHEETS = (
    *PARTIES,
    CLOSURES,
    RESERVES,
    PERMITS,
    PROJECTS,
    DEMANDS,
    HOLDINGS,
    SANCTIONS,
    FREEZES,
    TRANSFERS,
    STEPS,
    AGREEMENTS,
    SIGNATURES,
)


def founding_acts() -> tuple[Act, ...]:
    """What happened until the morning of 7 June 2022, in its order.

    Raises:
        SheetRefused: see ``read_acts``.

    """
    return read_acts(FOLDER, SHEETS)
