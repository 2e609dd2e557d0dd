"""The founding day with an object in every stage, and everybody who may sign in to it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from registry.access.principals import NIL, Caller
from registry.commands.command import OPERATIONS, command
from registry.db.session import row
from registry.transfers.records import Transfer
from seeds.clock import advance_clock
from seeds.demo.cross_region.loader import ENDS as ENDS_2026
from seeds.demo.cross_region.loader import load_cross_region
from seeds.demo.loader import Loaded, Progress, load_founding_day
from tests.support.live_server import CLIENT, Portal

PROGRAM = "demonstration-portal"


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who sends requests; without a subject a program, or nobody at all."""

    subject: str = ""
    client: str = CLIENT
    lapsed: bool = False

    async def caller(self) -> Caller:
        """What sign-in knows of him."""
        if not self.subject and self.client != PROGRAM:
            return Caller()
        return Caller(self.subject, await self.appointment() or NIL, self.client)

    async def appointment(self) -> UUID | None:
        """The appointment his requests name: one that has run out, which nobody else would."""
        if not self.lapsed:
            return None
        found = await row(
            "SELECT a.id FROM appointment a JOIN person p ON p.id = a.person_id"
            " WHERE p.subject = $1",
            self.subject,
        )
        return UUID(str(found["id"])) if found else None

    async def asks(
        self, portal: Portal, query: str, variables: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """The whole answer to his request."""
        signed = self.subject or (self.client if self.client == PROGRAM else "")
        named = await self.appointment()
        return await portal.ask(
            query, variables, subject=signed, appointment=named, client=self.client
        )


def _officers(*subjects: str) -> dict[str, Who]:
    return {subject: Who(f"demo-{subject}") for subject in subjects}


WHO: dict[str, Who] = {
    **_officers(
        "province-initiator",
        "province-approver",
        "centre-initiator",
        "centre-approver",
        "langfang-initiator",
        "langfang-approver",
        "tangshan-approver",
        "xianghe-initiator",
        "guan-approver",
        "laiyuan-initiator",
        "enterprise-1-initiator",
        "enterprise-1-approver",
        "enterprise-3-initiator",
        "enterprise-4-initiator",
        "enterprise-5-initiator",
        "enterprise-5-approver",
        "enterprise-7-initiator",
        "decheng-initiator",
        "guodian-langfang-initiator",
        "cib-initiator",
        "cib-approver",
        "verifier-initiator",
        "auditor",
    ),
    "province-clerk": Who("test-clerk"),
    "province-judge": Who("test-judge"),
    "an officer whose time has run out": Who("demo-langfang-lapsed", lapsed=True),
    "an officer through a program": Who("demo-enterprise-1-initiator", client=PROGRAM),
    "a program": Who(client=PROGRAM),
    "the public": Who(),
}
"""Each role, with an initiator and an approver where it has both; and those who lack something."""


@dataclass(frozen=True, slots=True)
class _Done:
    """Something that happens after the story; ``Ref`` stands for an object of its name."""

    id: str
    by: str
    operation: str
    args: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Ref:
    """The object that the act of this name was about."""

    name: str


@dataclass(frozen=True, slots=True)
class Of:
    """What a row of a table that belongs to an object of this name says in a column."""

    name: str
    column: str
    table: str
    belongs: str


def _entry(case: str) -> Of:
    return Of(case, "entry_id", "certificate", "transfer_id")


def _account(body: str) -> Of:
    return Of(body, "id", "account", "kind = 'holding' AND organisation_id")


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
_PERSON = {"name": "Worker"}
_WHY = {"reason": "test", "source": "test"}

_AFTER: tuple[_Done, ...] = (
    _Done("works", "centre-initiator", "register_organisation", _WORKS),
    _Done("stock", "province-initiator", "open_holding", _holding("SO2", "40")),
    _Done(
        "works-project",
        "province-initiator",
        "register_project",
        _PROJECT | {"organisation": Ref("works")},
    ),
    _Done(
        "works-person",
        "centre-initiator",
        "register_person",
        _PERSON | {"organisation": Ref("works"), "subject": "test-works"},
    ),
    _Done(
        "works-appointment",
        "centre-initiator",
        "appoint",
        {"person": Ref("works-person"), "organisation": Ref("works"), "may_initiate": True},
    ),
    _Done(
        "second-person",
        "enterprise-1-initiator",
        "register_person",
        _PERSON | {"organisation": Ref("enterprise-1"), "subject": "test-second"},
    ),
    _Done(
        "second-appointment",
        "enterprise-1-initiator",
        "appoint",
        {
            "person": Ref("second-person"),
            "organisation": Ref("enterprise-1"),
            "may_initiate": True,
        },
    ),
    _Done(
        "settlement-reversal",
        "centre-initiator",
        "propose_reversal",
        {"entry": _entry("transfer-settled-1"), "reason": "test"},
    ),
    _Done(
        "second-reversal",
        "centre-initiator",
        "propose_reversal",
        {"entry": _entry("transfer-settled-2"), "reason": "test"},
    ),
    _Done(
        "rejection",
        "centre-approver",
        "reject_reversal",
        {"id": Ref("second-reversal"), "reason": "test"},
    ),
    _Done("draft", "hbis-initiator", "draft_agreement", _agreement("Draft", "hbis", "laiyuan")),
    _Done(
        "half-signed",
        "hbis-initiator",
        "draft_agreement",
        _agreement("Half signed", "hbis", "laiyuan", "cib"),
    ),
    _Done("half-signature", "hbis-initiator", "sign_agreement", {"id": Ref("half-signed")}),
    _Done("carried", "cib-initiator", "bring_into_force", {"id": Ref("agreement-6")}),
    _Done(
        "milestone",
        "cib-initiator",
        "plan_milestone",
        {"id": Ref("agreement-6"), "title": "First loan"},
    ),
    _Done(
        "withdrawn",
        "hejian-initiator",
        "withdraw_agreement",
        {"id": Ref("agreement-5"), "reason": "test"},
    ),
    _Done(
        "frozen-by-city",
        "langfang-initiator",
        "impose_freeze",
        _WHY | {"account": _account("decheng")},
    ),
    _Done(
        "frozen-by-province",
        "province-initiator",
        "impose_freeze",
        _WHY | {"account": _account("works")},
    ),
    _Done(
        "lifted",
        "province-approver",
        "lift_freeze",
        {"id": Ref("frozen-by-province"), "reason": "test"},
    ),
    _Done(
        "sanctioned-by-province",
        "province-initiator",
        "impose_sanction",
        _WHY | {"organisation": Ref("works"), "kind": "penalty_period"},
    ),
    _Done(
        "revoked",
        "langfang-approver",
        "revoke_permit",
        {"id": Ref("permit-huaer"), "reason": "test"},
    ),
    _Done("assessed", "province-initiator", "record_assessment", _ASSESSMENT),
    _Done(
        "second-program",
        "province-initiator",
        "register_client",
        {"organisation": Ref("portal"), "name": "second", "scopes": ["Permit:view"]},
    ),
    _Done("program-shut-out", "province-approver", "revoke_client", {"id": Ref("second-program")}),
)


def _officer(name: str, **may: bool) -> tuple[_Done, ...]:
    """Somebody of the province who may do one of two things; the founders may do both."""
    person = _PERSON | {"organisation": Ref("province"), "subject": f"test-{name}"}
    terms = {"person": Ref(name), "organisation": Ref("province"), **may}
    named = f"{name}-appointment"
    return (
        _Done(name, "province-initiator", "register_person", person),
        _Done(named, "province-initiator", "appoint", terms),
        _Done(f"{name}-signed", "province-approver", "countersign_appointment", {"id": Ref(named)}),
    )


_SALE = {
    "buyer": Ref("enterprise-1"),
    "instrument": Of("transfer-draft", "instrument_id", "transfer", "id"),
    "quantity": "1.000",
    "price": 900_000,
}
_AFTERWARDS: tuple[_Done, ...] = (
    *_AFTER,
    *_officer("clerk", may_initiate=True),
    *_officer("judge", may_approve=True),
    _Done("sale", "enterprise-3-initiator", "draft_transfer", _SALE),
    _Done("sale-offered", "enterprise-3-initiator", "offer_transfer", {"id": Ref("sale")}),
    _Done("sale-accepted", "enterprise-1-initiator", "accept_transfer", {"id": Ref("sale")}),
    _Done(
        "frozen-body",
        "province-initiator",
        "impose_freeze",
        _WHY | {"organisation": Ref("enterprise-5")},
    ),
)


async def load_world(owner_url: str, *, progress: Progress | None = None) -> Loaded:
    """The founding day, and after it what brings the remaining kinds into further stages."""
    loaded = await load_founding_day(owner_url, progress=progress)
    objects = dict(loaded.objects)
    for done in _AFTERWARDS:
        args = {name: await _known(value, objects) for name, value in done.args.items()}
        objects[done.id] = await _done(done.by, done.operation, args, key=f"world:{done.id}")
    return replace(loaded, objects=objects)


WHO_IN_2026 = _officers(
    "province-approver",
    "centre-initiator",
    "centre-approver",
    "langfang-approver",
    "tangshan-approver",
    "enterprise-tangshan-initiator",
    "enterprise-6-initiator",
    "auditor",
)
"""Whoever has a part in a transfer across cities."""


async def load_world_of_2026(owner_url: str, *, progress: Progress | None = None) -> Loaded:
    """The fixture of 2026, with a case that waits for opinions, one that has them, one overdue."""
    loaded = await load_cross_region(owner_url, progress=progress)
    eligible = loaded.objects["transfer-across-offered"]
    sale = {
        "buyer": loaded.objects["enterprise-6"],
        "instrument": (await Transfer.get(id=eligible)).instrument_id,
        "quantity": "1.000",
        "price": 930_000,
        "announced_on": date(2026, 1, 12),
        "announcement": "test",
    }
    overdue, spoken = [
        await _done("enterprise-tangshan-initiator", "draft_transfer", sale) for _ in range(2)
    ]
    for case in (overdue, spoken):
        await _done("enterprise-tangshan-initiator", "offer_transfer", {"id": case})
    for case in (eligible, spoken):
        await _done("enterprise-6-initiator", "accept_transfer", {"id": case})
        await _done("centre-approver", "qualify_transfer", {"id": case})
    for city in ("tangshan-approver", "langfang-approver"):
        opinion = {"id": spoken, "favourable": False, "reasons": "test"}
        await _done(city, "opine_on_transfer", opinion)
    owner = await asyncpg.connect(owner_url)
    await advance_clock(owner, ENDS_2026 + timedelta(days=30))
    await owner.close()
    return replace(loaded, objects={**loaded.objects, "overdue": overdue})


async def _done(by: str, operation: str, args: dict[str, Any], key: str = "") -> UUID:
    outcome = await command(
        OPERATIONS[operation], Caller(f"demo-{by}"), args, key=key or str(uuid4())
    )
    return UUID(str(outcome.record.pk))


async def _known(value: object, objects: Mapping[str, UUID]) -> object:
    match value:
        case Ref(name):
            return objects[name]
        case Of():
            return await _said(value, objects[value.name])
        case list():
            return [await _known(item, objects) for item in value]
        case dict():
            return {name: await _known(item, objects) for name, item in value.items()}
    return value


async def _said(of: Of, owner: UUID) -> UUID:
    found = await row(f"SELECT {of.column} AS id FROM {of.table} WHERE {of.belongs} = $1", owner)
    assert found is not None
    return UUID(str(found["id"]))
