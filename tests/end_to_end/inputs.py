"""Inputs of each mutation in the sweep. A mutation without an input fails the sweep."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from registry.access.kinds import Kind
from registry.access.principals import Viewer
from registry.agreements.records import Milestone
from registry.db.session import fetch_one
from registry.kernel.quantities import format_money
from registry.ledger.facts import ACCOUNT
from registry.ledger.records import Instrument
from registry.parties.facts import ORGANISATION, PERSON
from schema.framework.global_ids import to_global_id

Input = dict[str, Any]
FIRST_OF_JULY = date(2022, 7, 1).isoformat()
REASONS: Input = {"reason": "swept"}


async def _payment(transfer: Any) -> Input:  # noqa: ANN401 - the kind's own record, or none
    money = format_money(transfer.sum_fen if transfer else 1)
    return {"money": money, "reference": f"SWEPT{uuid4().hex[:8]}"}


async def _milestone(agreement: Any) -> Input:  # noqa: ANN401 - likewise
    found = await Milestone.filter(agreement_id=agreement.pk).first() if agreement else None
    milestone = to_global_id("Milestone", found.pk if found else uuid4())
    return {"milestone": milestone, "reachedOn": "2022-06-07", "note": "swept"}


EXISTING_OBJECTS: dict[str, Input | Callable[[Any], Awaitable[Input]]] = {
    "changeOrganisation": {"nameEn": "Swept"},
    "closeOrganisation": {},
    "countersignAppointment": {},
    "endAppointment": {},
    "liftSanction": REASONS,
    "revokeClient": {},
    "registerPersistedQuery": {"text": "{ __typename }"},
    "retirePersistedQuery": {"sha256": "0" * 64},
    "restrictToPersistedQueries": {"persistedQueriesOnly": True},
    "changePermitLimits": {
        "limits": [{"pollutant": "SO2", "quantity": "1.000"}],
        "effectiveFrom": FIRST_OF_JULY,
        "source": "swept",
    },
    "revokePermit": {**REASONS, "ending": "DEREGISTERED"},
    "assessDemand": {"demands": [{"pollutant": "SO2"}], "source": "swept"},
    "recordPayout": {"money": "1.00", "reference": "SWEPT0001"},
    "liftFreeze": REASONS,
    "approveReversal": {},
    "rejectReversal": REASONS,
    "offerTransfer": {},
    "countersignTransfer": {},
    "acceptTransfer": {},
    "withdrawTransfer": REASONS,
    "commentOnTransfer": {"text": "swept"},
    "qualifyTransfer": {},
    "opineOnTransfer": {"favourable": True, "reasons": "swept"},
    "approveTransfer": {},
    "rejectTransfer": REASONS,
    "contractTransfer": {"contractNumber": "SWEPT-1"},
    "recordPayment": _payment,
    "settleTransfer": {},
    "declareDefault": REASONS | {"side": "SELLER"},
    "expireTransfer": {},
    "signAgreement": {},
    "withdrawAgreement": REASONS,
    "bringIntoForce": {},
    "planMilestone": {"title": "Swept"},
    "reachMilestone": _milestone,
    "completeAgreement": {},
    "terminateAgreement": REASONS,
}
"""Mutations on an object that exists, without its ``id``."""


@dataclass(frozen=True, slots=True)
class NewObject:
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
        "number": "911310000000000190002P",
        "issuedBy": "131000",
        "category": "KEY",
        "validFrom": "2022-01-01",
        "validUntil": "2026-12-31",
        "limits": [{"pollutant": "SO2", "quantity": "1.000"}],
        "source": "swept",
    }


async def _appointment(viewer: Viewer) -> Input:
    return {"organisation": to_global_id("Organisation", viewer.organisation), "mayInitiate": True}


async def _sale(_viewer: Viewer) -> Input:
    right = await Instrument.filter(pollutant="SO2", acquisition="PAID").first()
    assert right is not None
    return {
        "instrument": to_global_id("Instrument", right.pk),
        "quantity": "1.000",
        "price": "7600.00",
    }


async def _agreement(viewer: Viewer) -> Input:
    own = {"organisation": to_global_id("Organisation", viewer.organisation), "capacity": "one"}
    return {
        "kind": "STRATEGIC_COOPERATION",
        "title": "Swept",
        "topics": ["sweeping"],
        "visibility": "PUBLIC",
        "parties": [own, {"capacity": "other"}],
    }


async def _reversal(_viewer: Viewer) -> Input:
    return {"reason": "swept"}


_STOCK = _always(pollutant="SO2", quantity="1.000", source="swept")
_ORGANISATION = {"name": "Swept", "division": "131000"}
_SANCTION = {"reason": "swept", "source": "swept"}
_YEAR = {
    "city": "131000",
    "year": 2020,
    "medium": "WATER",
    "qualityAttained": True,
    "reductionTaskDone": True,
    "improvementTargetMet": True,
    "source": "swept",
}

_FIGURE = {
    "name": "payment_days",
    "effectiveFrom": "2022-01-01",
    "value": "7",
    "documentNumber": "swept",
    "source": "swept",
}

NEW_OBJECTS: dict[str, tuple[NewObject, ...]] = {
    "registerOrganisation": tuple(
        NewObject(_always(kind=kind, **_ORGANISATION), kind=None) for kind in ("ENTERPRISE", "CITY")
    ),
    "registerPerson": (NewObject(_always(subject="swept", name="Swept"), "organisation"),),
    "appoint": (NewObject(_appointment, "person", PERSON),),
    "imposeSanction": (NewObject(_always(kind="PENALTY_PERIOD", **_SANCTION), "organisation"),),
    "registerClient": (NewObject(_always(name="swept", scopes=["Permit:view"]), "organisation"),),
    "registerPermit": (NewObject(_permit, "organisation"),),
    "registerProject": (
        NewObject(_always(name="Swept", division="131024", source="swept"), "organisation"),
        NewObject(_always(name="Swept", division="130200", source="swept"), "organisation"),
    ),
    "recordAssessment": (NewObject(_always(**_YEAR), kind=None),),
    "confirmParameter": (NewObject(_always(**_FIGURE), kind=None),),
    "openReserve": (NewObject(_STOCK, "organisation"),),
    "openHolding": (NewObject(_STOCK, "organisation"),),
    "imposeFreeze": (
        NewObject(_always(**_SANCTION), "account", ACCOUNT),
        NewObject(_always(**_SANCTION), "organisation"),
    ),
    "proposeReversal": (NewObject(_reversal, "entry", None),),
    "draftTransfer": (NewObject(_sale, "buyer"),),
    "draftAgreement": (NewObject(_agreement, "parties.1.organisation"),),
}
"""Mutations that make an object."""


async def find_entry() -> UUID:
    """An entry that settled a transfer."""
    found = await fetch_one("SELECT entry_id FROM certificate ORDER BY number DESC LIMIT 1")
    assert found is not None
    return UUID(str(found["entry_id"]))
