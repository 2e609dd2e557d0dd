"""The founding day with an object in every stage, and everybody who may sign in to it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from registry.access.principals import Principal
from registry.commands.command import execute_command
from registry.concepts import OPERATIONS
from registry.db.session import fetch_one
from registry.transfers.records import Transfer
from seeds.clock import advance_clock
from seeds.demo.cross_region.loader import ENDS_AT as ENDS_2026
from seeds.demo.cross_region.loader import load_cross_region
from seeds.demo.loader import LoadReport, ProgressCallback, load_founding_day


@dataclass(frozen=True, slots=True)
class _Step:
    """A step after the scenario; ``Ref`` refers to an object by its name."""

    id: str
    user: str
    operation: str
    args: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Ref:
    """The object that the act of this name was about."""

    name: str


@dataclass(frozen=True, slots=True)
class RelatedValue:
    """A column of a row that belongs to the object of this name."""

    name: str
    column: str
    table: str
    condition: str


def _entry(case: str) -> RelatedValue:
    return RelatedValue(case, "entry_id", "certificate", "transfer_id")


def _account(body: str) -> RelatedValue:
    return RelatedValue(body, "id", "account", "kind = 'holding' AND organisation_id")


def _agreement(title: str, *parties: str) -> dict[str, object]:
    return {
        "kind": "strategic_cooperation",
        "title": title,
        "topics": ["reductions"],
        "parties": [{"organisation": Ref(party), "capacity": "party"} for party in parties],
        "visibility": "parties",
    }


def _holding(pollutant: str, quantity: str) -> dict[str, object]:
    return {
        "organisation": Ref("works"),
        "pollutant": pollutant,
        "quantity": quantity,
        "source": "test",
        "acquisition": "PAID",
    }


_WORKS = {
    "kind": "enterprise",
    "name": "Works of Tangshan",
    "division": "130200",
    "source_category": "industrial",
}
_PROJECT = {"name": "Works", "division": "130200", "source": "test"}
_ASSESSMENT = {
    "city": "131000",
    "year": 2021,
    "medium": "air",
    "quality_attained": True,
    "reduction_task_done": True,
    "improvement_target_met": True,
    "source": "test",
}
_FIGURE = {
    "name": "acceptance_days",
    "effective_from": date(2022, 1, 1),
    "value": "10",
    "document_number": "test",
    "source": "test",
}
_PERSON = {"name": "Worker"}
_WHY = {"reason": "test", "source": "test"}

_STEPS: tuple[_Step, ...] = (
    _Step("works", "centre-initiator", "register_organisation", _WORKS),
    _Step("stock", "province-initiator", "open_holding", _holding("SO2", "40")),
    _Step(
        "works-project",
        "province-initiator",
        "register_project",
        _PROJECT | {"organisation": Ref("works")},
    ),
    _Step(
        "works-person",
        "centre-initiator",
        "register_person",
        _PERSON | {"organisation": Ref("works"), "subject": "test-works"},
    ),
    _Step(
        "works-appointment",
        "centre-initiator",
        "appoint",
        {"person": Ref("works-person"), "organisation": Ref("works"), "may_initiate": True},
    ),
    _Step(
        "second-person",
        "enterprise-1-initiator",
        "register_person",
        _PERSON | {"organisation": Ref("enterprise-1"), "subject": "test-second"},
    ),
    _Step(
        "second-appointment",
        "enterprise-1-initiator",
        "appoint",
        {
            "person": Ref("second-person"),
            "organisation": Ref("enterprise-1"),
            "may_initiate": True,
        },
    ),
    _Step(
        "settlement-reversal",
        "centre-initiator",
        "propose_reversal",
        {"entry": _entry("transfer-settled-1"), "reason": "test"},
    ),
    _Step(
        "second-reversal",
        "centre-initiator",
        "propose_reversal",
        {"entry": _entry("transfer-settled-2"), "reason": "test"},
    ),
    _Step(
        "rejection",
        "centre-approver",
        "reject_reversal",
        {"id": Ref("second-reversal"), "reason": "test"},
    ),
    _Step("draft", "hbis-initiator", "draft_agreement", _agreement("Draft", "hbis", "laiyuan")),
    _Step(
        "half-signed",
        "hbis-initiator",
        "draft_agreement",
        _agreement("Half signed", "hbis", "laiyuan", "cib"),
    ),
    _Step("half-signature", "hbis-initiator", "sign_agreement", {"id": Ref("half-signed")}),
    _Step("carried", "cib-initiator", "bring_into_force", {"id": Ref("agreement-6")}),
    _Step(
        "milestone",
        "cib-initiator",
        "plan_milestone",
        {"id": Ref("agreement-6"), "title": "First loan"},
    ),
    _Step(
        "withdrawn",
        "hejian-initiator",
        "withdraw_agreement",
        {"id": Ref("agreement-5"), "reason": "test"},
    ),
    _Step(
        "frozen-by-city",
        "langfang-initiator",
        "impose_freeze",
        _WHY | {"account": _account("decheng")},
    ),
    _Step(
        "frozen-by-province",
        "province-initiator",
        "impose_freeze",
        _WHY | {"account": _account("works")},
    ),
    _Step(
        "lifted",
        "province-approver",
        "lift_freeze",
        {"id": Ref("frozen-by-province"), "reason": "test"},
    ),
    _Step(
        "sanctioned-by-province",
        "province-initiator",
        "impose_sanction",
        _WHY | {"organisation": Ref("works"), "kind": "penalty_period"},
    ),
    _Step(
        "revoked",
        "langfang-approver",
        "revoke_permit",
        {"id": Ref("permit-huaer"), "ending": "deregistered", "reason": "test"},
    ),
    _Step("confirmed", "province-initiator", "confirm_parameter", _FIGURE),
    _Step("assessed", "province-initiator", "record_assessment", _ASSESSMENT),
    _Step(
        "second-program",
        "province-initiator",
        "register_client",
        {"organisation": Ref("portal"), "name": "second", "scopes": ["Permit:view"]},
    ),
    _Step("program-shut-out", "province-approver", "revoke_client", {"id": Ref("second-program")}),
)


def _officer(name: str, **may: bool) -> tuple[_Step, ...]:
    """A person of the province who may initiate or approve; the first officers may do both."""
    person = _PERSON | {"organisation": Ref("province"), "subject": f"test-{name}"}
    terms = {"person": Ref(name), "organisation": Ref("province"), **may}
    named = f"{name}-appointment"
    return (
        _Step(name, "province-initiator", "register_person", person),
        _Step(named, "province-initiator", "appoint", terms),
        _Step(f"{name}-signed", "province-approver", "countersign_appointment", {"id": Ref(named)}),
    )


_SALE = {
    "buyer": Ref("enterprise-1"),
    "instrument": RelatedValue("transfer-draft", "instrument_id", "transfer", "id"),
    "quantity": "1.000",
    "price": 900_000,
}
_LATER_ROWS: tuple[_Step, ...] = (
    *_STEPS,
    *_officer("clerk", may_initiate=True),
    *_officer("judge", may_approve=True),
    _Step("sale", "enterprise-3-initiator", "draft_transfer", _SALE),
    _Step("sale-offered", "enterprise-3-initiator", "offer_transfer", {"id": Ref("sale")}),
    _Step("sale-accepted", "enterprise-1-initiator", "accept_transfer", {"id": Ref("sale")}),
    _Step(
        "frozen-body",
        "province-initiator",
        "impose_freeze",
        _WHY | {"organisation": Ref("enterprise-5")},
    ),
)


async def load_world(owner_url: str, *, progress: ProgressCallback | None = None) -> LoadReport:
    """The founding day, and after it what brings the remaining kinds into further stages."""
    loaded = await load_founding_day(owner_url, progress=progress)
    objects = dict(loaded.object_ids)
    for done in _LATER_ROWS:
        args = {
            name: await _resolve_references(value, objects) for name, value in done.args.items()
        }
        objects[done.id] = await _execute_step(
            done.user, done.operation, args, key=f"world:{done.id}"
        )
    return replace(loaded, object_ids=objects)


async def load_world_of_2026(
    owner_url: str, *, progress: ProgressCallback | None = None
) -> LoadReport:
    """The fixture of 2026, with a case that waits for opinions, one that has them, one overdue."""
    loaded = await load_cross_region(owner_url, progress=progress)
    eligible = loaded.object_ids["transfer-across-offered"]
    sale = {
        "buyer": loaded.object_ids["enterprise-6"],
        "instrument": (await Transfer.get(id=eligible)).instrument_id,
        "quantity": "1.000",
        "price": 930_000,
        "announced_on": date(2026, 1, 12),
        "announcement": "test",
    }
    overdue, spoken = [
        await _execute_step("enterprise-tangshan-initiator", "draft_transfer", sale)
        for _ in range(2)
    ]
    for case in (overdue, spoken):
        await _execute_step("enterprise-tangshan-initiator", "offer_transfer", {"id": case})
    for case in (eligible, spoken):
        await _execute_step("enterprise-6-initiator", "accept_transfer", {"id": case})
        await _execute_step("centre-approver", "qualify_transfer", {"id": case})
    for city in ("tangshan-approver", "langfang-approver"):
        opinion = {"id": spoken, "favourable": False, "reasons": "test"}
        await _execute_step(city, "opine_on_transfer", opinion)
    owner = await asyncpg.connect(owner_url)
    await advance_clock(owner, ENDS_2026 + timedelta(days=30))
    await owner.close()
    return replace(loaded, object_ids={**loaded.object_ids, "overdue": overdue})


async def _execute_step(by: str, operation: str, args: dict[str, Any], key: str = "") -> UUID:
    outcome = await execute_command(
        OPERATIONS[operation], Principal(f"demo-{by}"), args, key=key or str(uuid4())
    )
    return UUID(str(outcome.record.pk))


async def _resolve_references(value: object, objects: Mapping[str, UUID]) -> object:
    match value:
        case Ref(name):
            return objects[name]
        case RelatedValue():
            return await _read_related(value, objects[value.name])
        case list():
            return [await _resolve_references(item, objects) for item in value]
        case dict():
            return {name: await _resolve_references(item, objects) for name, item in value.items()}
    return value


async def _read_related(of: RelatedValue, owner: UUID) -> UUID:
    found = await fetch_one(
        f"SELECT {of.column} AS id FROM {of.table} WHERE {of.condition} = $1", owner
    )
    assert found is not None
    return UUID(str(found["id"]))
