"""Agreements for tests, made through the operations."""

from dataclasses import dataclass
from typing import Any

from registry.agreements.milestones import plan_milestone
from registry.agreements.operations import bring_into_force, draft_agreement, sign_agreement
from registry.agreements.records import Agreement, Milestone
from registry.parties.records import Appointment
from tests.permits.builders import execute_as
from tests.support.builders import create_officer_of


@dataclass(frozen=True, slots=True)
class Parties:
    """A steel group and a county's government, with an officer of each who may do everything."""

    steel: Appointment
    county: Appointment

    def both(self) -> tuple[Appointment, Appointment]:
        return self.steel, self.county


async def create_parties() -> Parties:
    return Parties(await create_officer_of("enterprise"), await create_officer_of("government"))


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


async def draft(parties: Parties, **changed: object) -> Agreement:
    args = agreement_args(*parties.both(), **changed)
    return (await execute_as(parties.steel, draft_agreement, **args)).record


async def sign_by_all(parties: Parties, **changed: object) -> Agreement:
    agreement = await draft(parties, **changed)
    for officer in parties.both():
        agreement = (await execute_as(officer, sign_agreement, id=agreement.id)).record
    return agreement


async def create_in_force(parties: Parties, **changed: object) -> Agreement:
    agreement = await sign_by_all(parties, **changed)
    return (await execute_as(parties.steel, bring_into_force, id=agreement.id)).record


async def create_milestone(
    parties: Parties, agreement: Agreement, title: str = "company founded"
) -> Milestone:
    await execute_as(parties.county, plan_milestone, id=agreement.id, title=title)
    return await Milestone.get(agreement_id=agreement.id, title=title)
