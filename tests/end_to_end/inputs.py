"""What each mutation is sent in the sweep. One that is not here is not known, and fails it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from registry.access.kinds import Kind
from registry.access.principals import Viewer
from registry.agreements.records import Milestone
from registry.db.session import row
from registry.kernel.quantities import format_money
from registry.ledger.facts import ACCOUNT
from registry.ledger.records import Instrument
from registry.parties.facts import ORGANISATION, PERSON
from schema.framework.global_ids import global_id

Input = dict[str, Any]
FIRST_OF_JULY = date(2022, 7, 1).isoformat()
WHY: Input = {"reason": "swept"}


async def _payment(transfer: Any) -> Input:  # noqa: ANN401 - the kind's own record, or none
    money = format_money(transfer.sum_fen if transfer else 1)
    return {"money": money, "reference": f"SWEPT{uuid4().hex[:8]}"}


async def _milestone(agreement: Any) -> Input:  # noqa: ANN401 - likewise
    found = await Milestone.filter(agreement_id=agreement.pk).first() if agreement else None
    milestone = global_id("Milestone", found.pk if found else uuid4())
    return {"milestone": milestone, "reachedOn": "2022-06-07", "note": "swept"}


EXISTING: dict[str, Input | Callable[[Any], Awaitable[Input]]] = {
    "changeOrganisation": {"nameEn": "Swept"},
    "closeOrganisation": {},
    "countersignAppointment": {},
    "endAppointment": {},
    "liftSanction": WHY,
    "revokeClient": {},
    "registerDocument": {"text": "{ __typename }"},
    "retireDocument": {"sha256": "0" * 64},
    "confineClient": {"registeredOnly": True},
    "changePermitLimits": {
        "limits": [{"pollutant": "SO2", "quantity": "1.000"}],
        "effectiveFrom": FIRST_OF_JULY,
        "source": "swept",
    },
    "revokePermit": WHY,
    "assessDemand": {"demands": [{"pollutant": "SO2"}], "source": "swept"},
    "recordPayout": {"money": "1.00", "reference": "SWEPT0001"},
    "liftFreeze": WHY,
    "approveReversal": {},
    "rejectReversal": WHY,
    "offerTransfer": {},
    "countersignTransfer": {},
    "acceptTransfer": {},
    "withdrawTransfer": WHY,
    "commentOnTransfer": {"text": "swept"},
    "qualifyTransfer": {},
    "opineOnTransfer": {"favourable": True, "reasons": "swept"},
    "approveTransfer": {},
    "rejectTransfer": WHY,
    "contractTransfer": {"contractNumber": "SWEPT-1"},
    "recordPayment": _payment,
    "settleTransfer": {},
    "declareDefault": WHY | {"side": "seller"},
    "expireTransfer": {},
    "signAgreement": {},
    "withdrawAgreement": WHY,
    "bringIntoForce": {},
    "planMilestone": {"title": "Swept"},
    "reachMilestone": _milestone,
    "completeAgreement": {},
    "terminateAgreement": WHY,
}
"""Mutations on an object that exists, without its ``id``."""


@dataclass(frozen=True, slots=True)
class New:
    """A mutation that makes an object: what it is sent, and which object it refers to.

    Attributes:
        input: for a viewer, without what it refers to.
        refers: the field that names an object, as a path; empty where there is none.
        kind: of that object.

    """

    input: Callable[[Viewer], Awaitable[Input]]
    refers: str = ""
    kind: Kind | None = ORGANISATION


def _always(**said: object) -> Callable[[Viewer], Awaitable[Input]]:
    async def given(_viewer: Viewer) -> Input:
        return dict(said)

    return given


async def _permit(_viewer: Viewer) -> Input:
    return {
        "number": "911310000000000016002P",
        "issuedBy": "131000",
        "category": "key",
        "validFrom": "2022-01-01",
        "validUntil": "2026-12-31",
        "limits": [{"pollutant": "SO2", "quantity": "1.000"}],
        "source": "swept",
    }


async def _appointment(viewer: Viewer) -> Input:
    return {"organisation": global_id("Organisation", viewer.organisation), "mayInitiate": True}


async def _sale(_viewer: Viewer) -> Input:
    right = await Instrument.filter(pollutant="SO2", acquisition="PAID").first()
    assert right is not None
    return {
        "instrument": global_id("Instrument", right.pk),
        "quantity": "1.000",
        "price": "7600.00",
    }


async def _agreement(viewer: Viewer) -> Input:
    own = {"organisation": global_id("Organisation", viewer.organisation), "capacity": "one"}
    return {
        "kind": "strategic_cooperation",
        "title": "Swept",
        "topics": ["sweeping"],
        "visibility": "public",
        "parties": [own, {"capacity": "other"}],
    }


async def _reversal(_viewer: Viewer) -> Input:
    return {"reason": "swept"}


_STOCK = _always(pollutant="SO2", quantity="1.000", source="swept")
_BODY = {"name": "Swept", "division": "131000"}
_MEASURE = {"reason": "swept", "source": "swept"}
_YEAR = {
    "city": "131000",
    "year": 2020,
    "medium": "water",
    "qualityAttained": True,
    "reductionTaskDone": True,
    "improvementTargetMet": True,
    "source": "swept",
}

NEW: dict[str, tuple[New, ...]] = {
    "registerOrganisation": tuple(
        New(_always(kind=kind, **_BODY), kind=None) for kind in ("enterprise", "city")
    ),
    "registerPerson": (New(_always(subject="swept", name="Swept"), "organisation"),),
    "appoint": (New(_appointment, "person", PERSON),),
    "imposeSanction": (New(_always(kind="penalty_period", **_MEASURE), "organisation"),),
    "registerClient": (New(_always(name="swept", scopes=["Permit:view"]), "organisation"),),
    "registerPermit": (New(_permit, "organisation"),),
    "registerProject": (
        New(_always(name="Swept", division="131024", source="swept"), "organisation"),
        New(_always(name="Swept", division="130200", source="swept"), "organisation"),
    ),
    "recordAssessment": (New(_always(**_YEAR), kind=None),),
    "openReserve": (New(_STOCK, "organisation"),),
    "openHolding": (New(_STOCK, "organisation"),),
    "imposeFreeze": (
        New(_always(**_MEASURE), "account", ACCOUNT),
        New(_always(**_MEASURE), "organisation"),
    ),
    "proposeReversal": (New(_reversal, "entry", None),),
    "draftTransfer": (New(_sale, "buyer"),),
    "draftAgreement": (New(_agreement, "parties.1.organisation"),),
}
"""Mutations that make an object."""


async def an_entry() -> UUID:
    """An entry that settled a transfer."""
    found = await row("SELECT entry_id FROM certificate ORDER BY number DESC LIMIT 1")
    assert found is not None
    return UUID(str(found["entry_id"]))
