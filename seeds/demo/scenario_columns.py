"""The files of the founding day: the operation of each row, and the parser of each cell."""

from pathlib import Path

from registry.agreements.operations import draft_agreement, sign_agreement
from registry.ledger.operations import impose_freeze, open_holding, open_reserve
from registry.parties.bootstrap import FirstOfficer
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
from seeds.csv_reader import parse_bool, parse_count, parse_optional_text, parse_text
from seeds.demo.scenario_csv import (
    ChildTable,
    Columns,
    ScenarioStep,
    ScenarioTable,
    object_ref,
    optional,
    parse_date,
    parse_minute,
    parse_yuan,
    read_steps,
    right_ref,
)

FOLDER = Path(__file__).parent / "founding_day"
ENDS_AT = parse_minute("2022-06-07 10:00")

_PROVENANCE_COLUMNS: Columns = {"source": parse_text, "demo": parse_bool}
_RIGHT_COLUMNS: Columns = {
    "organisation": object_ref,
    "pollutant": parse_text,
    "quantity": parse_text,
    "basin": parse_optional_text,
}


def _split_words(value: str) -> list[str]:
    return value.split("|") if value else []


def _topic(*, topic: str) -> str:
    return topic


BOOTSTRAP = ScenarioTable(
    "beginning.csv",
    (bootstrap,),
    {"name": parse_text, "division": parse_text, "source": parse_text},
    children=(
        ChildTable(
            "first_officers.csv",
            "first_officers",
            {"subject": parse_text, "name": parse_text, "demo": parse_bool},
            FirstOfficer,
        ),
    ),
)
ORGANISATIONS = ScenarioTable(
    "organisations.csv",
    (register_organisation,),
    {
        "kind": parse_text,
        "name": parse_text,
        "name_en": parse_optional_text,
        "credit_code": parse_optional_text,
        "division": parse_text,
        "source_category": parse_optional_text,
        "industry": parse_optional_text,
        "thermal_power": optional(parse_bool),
        "installed_mw": optional(parse_count),
        "two_representatives": parse_bool,
        **_PROVENANCE_COLUMNS,
    },
)
PEOPLE = ScenarioTable(
    "people.csv",
    (register_person,),
    {"organisation": object_ref, "subject": parse_text, "name": parse_text, "demo": parse_bool},
)
APPOINTMENTS = ScenarioTable(
    "appointments.csv",
    (appoint,),
    {
        "person": object_ref,
        "organisation": object_ref,
        "valid_until": optional(parse_minute),
        "may_initiate": parse_bool,
        "may_approve": parse_bool,
        "demo": parse_bool,
    },
)
COUNTERSIGNATURES = ScenarioTable(
    "countersignatures.csv", (countersign_appointment,), {"of": object_ref}
)
CLIENTS = ScenarioTable(
    "clients.csv",
    (register_client,),
    {
        "organisation": object_ref,
        "name": parse_text,
        "scopes": _split_words,
        "first_party": parse_bool,
        "demo": parse_bool,
    },
)
CLOSURES = ScenarioTable("closures.csv", (close_organisation,), {"of": object_ref})
RESERVES = ScenarioTable("reserves.csv", (open_reserve,), {**_RIGHT_COLUMNS, **_PROVENANCE_COLUMNS})
HOLDINGS = ScenarioTable(
    "holdings.csv",
    (open_holding,),
    {**_RIGHT_COLUMNS, "acquisition": parse_text, "valid_from": parse_date, **_PROVENANCE_COLUMNS},
)
PERMITS = ScenarioTable(
    "permits.csv",
    (register_permit,),
    {
        "organisation": object_ref,
        "number": parse_text,
        "issued_by": parse_text,
        "category": parse_text,
        "valid_from": parse_date,
        "valid_until": parse_date,
        **_PROVENANCE_COLUMNS,
    },
    children=(
        ChildTable(
            "permit_limits.csv", "limits", {"pollutant": parse_text, "quantity": parse_text}
        ),
        ChildTable(
            "outlets.csv", "outlets", {"code": parse_text, "river_system": parse_optional_text}
        ),
    ),
)
PROJECTS = ScenarioTable(
    "projects.csv",
    (register_project,),
    {"organisation": object_ref, "name": parse_text, "division": parse_text, **_PROVENANCE_COLUMNS},
)
DEMANDS = ScenarioTable(
    "demands.csv",
    (assess_demand,),
    {"of": object_ref, **_PROVENANCE_COLUMNS},
    children=(
        ChildTable(
            "demanded.csv", "demands", {"pollutant": parse_text, "quantity": parse_optional_text}
        ),
    ),
)
ASSESSMENTS = ScenarioTable(
    "assessments.csv",
    (record_assessment,),
    {
        "city": parse_text,
        "year": parse_count,
        "medium": parse_text,
        "quality_attained": parse_bool,
        "reduction_task_done": parse_bool,
        "improvement_target_met": parse_bool,
        **_PROVENANCE_COLUMNS,
    },
)
SANCTIONS = ScenarioTable(
    "sanctions.csv",
    (impose_sanction,),
    {
        "organisation": object_ref,
        "kind": parse_text,
        "ends_at": optional(parse_minute),
        "reason": parse_text,
        **_PROVENANCE_COLUMNS,
    },
)
FREEZES = ScenarioTable(
    "freezes.csv",
    (impose_freeze,),
    {
        "account": object_ref,
        "instrument": right_ref,
        "ends_at": optional(parse_minute),
        "reason": parse_text,
        **_PROVENANCE_COLUMNS,
    },
)
TRANSFERS = ScenarioTable(
    "transfers.csv",
    (draft_transfer,),
    {
        "buyer": object_ref,
        "instrument": right_ref,
        "quantity": parse_text,
        "price": parse_yuan,
        "note": parse_optional_text,
        "announced_on": optional(parse_date),
        "announcement": parse_optional_text,
    },
)
TRANSFER_STEPS = ScenarioTable(
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
        "of": object_ref,
        "accept_by": optional(parse_date),
        "contract_number": parse_optional_text,
        "money": optional(parse_yuan),
        "reference": parse_optional_text,
        "side": parse_optional_text,
        "favourable": optional(parse_bool),
        "reasons": parse_optional_text,
        "reason": parse_optional_text,
        "text": parse_optional_text,
    },
)
AGREEMENTS = ScenarioTable(
    "agreements.csv",
    (draft_agreement,),
    {
        "kind": parse_text,
        "title": parse_text,
        "visibility": parse_text,
        "event": parse_text,
        **_PROVENANCE_COLUMNS,
    },
    children=(
        ChildTable("agreement_topics.csv", "topics", {"topic": parse_text}, _topic),
        ChildTable(
            "agreement_parties.csv", "parties", {"organisation": object_ref, "capacity": parse_text}
        ),
    ),
)
SIGNATURES = ScenarioTable("signatures.csv", (sign_agreement,), {"of": object_ref})

PARTY_TABLES = (BOOTSTRAP, ORGANISATIONS, PEOPLE, APPOINTMENTS, COUNTERSIGNATURES, CLIENTS)
TABLES = (
    *PARTY_TABLES,
    CLOSURES,
    RESERVES,
    PERMITS,
    PROJECTS,
    DEMANDS,
    HOLDINGS,
    SANCTIONS,
    FREEZES,
    TRANSFERS,
    TRANSFER_STEPS,
    AGREEMENTS,
    SIGNATURES,
)


def founding_day_steps() -> tuple[ScenarioStep, ...]:
    """The steps until the morning of 7 June 2022, in their order.

    Raises:
        CsvError: see ``read_steps``.

    """
    return read_steps(FOLDER, TABLES)
