"""Agreements for tests, made through the operations."""

from dataclasses import dataclass
from typing import Any

from registry.agreements.milestones import milestones_of, plan_milestone
from registry.agreements.operations import bring_into_force, draft_agreement, sign_agreement
from registry.agreements.records import Agreement, Milestone
from registry.parties.records import Appointment
from tests.permits.builders import do
from tests.support.builders import an_officer_of


@dataclass(frozen=True, slots=True)
class Parties:
    """A steel group and a county's government, with an officer of each who may do everything."""

    steel: Appointment
    county: Appointment

    def both(self) -> tuple[Appointment, Appointment]:
        return self.steel, self.county


async def two_parties() -> Parties:
    return Parties(await an_officer_of("enterprise"), await an_officer_of("government"))


def agreement_args(*parties: Appointment, **changed: object) -> dict[str, Any]:
    return {
        "kind": "value_realisation",
        "title": "Value realisation of reduction products",
        "topics": ["ecological-sink development company", "forest sinks"],
        "parties": [
            {"organisation": party.organisation_id, "capacity": f"party {place}"}
            for place, party in enumerate(parties, start=1)
        ],
        "visibility": "public",
        "event": "launch of the market, 2022-06-07",
    } | changed


async def a_draft(parties: Parties, **changed: object) -> Agreement:
    args = agreement_args(*parties.both(), **changed)
    return (await do(parties.steel, draft_agreement, **args)).record


async def a_signed(parties: Parties, **changed: object) -> Agreement:
    agreement = await a_draft(parties, **changed)
    for officer in parties.both():
        agreement = (await do(officer, sign_agreement, id=agreement.id)).record
    return agreement


async def in_force(parties: Parties, **changed: object) -> Agreement:
    agreement = await a_signed(parties, **changed)
    return (await do(parties.steel, bring_into_force, id=agreement.id)).record


async def a_milestone(
    parties: Parties, agreement: Agreement, title: str = "company founded"
) -> Milestone:
    await do(parties.county, plan_milestone, id=agreement.id, title=title)
    planned = (await milestones_of([agreement.id]))[agreement.id]
    return next(milestone for milestone in planned if milestone.title == title)
