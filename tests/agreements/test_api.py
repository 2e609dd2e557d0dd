"""Agreements over GraphQL: drafted, signed and carried out; each party sees its own."""

from datetime import date, datetime
from typing import Any

import asyncpg

from registry.agreements.milestones import reach_milestone
from registry.kernel.calendar import CHINA
from registry.parties.records import Organisation
from schema.framework.global_ids import to_global_id
from tests.agreements.builders import (
    Parties,
    create_in_force,
    create_milestone,
    create_parties,
    draft,
    sign_by_all,
)
from tests.permits.builders import execute_as
from tests.permits.test_api import ask
from tests.support.builders import create_officer_of, stop_clock

LIST = """query ($where: AgreementWhere) { agreements(first: 3, where: $where) { nodes {
    title state event validFrom availableActions visibility drafter { name }
    parties { capacity signedAt organisation { name } signedBy { name } }
    milestones { title state note sha256 links { __typename id } } } } }"""
DRAFT = """mutation ($input: DraftAgreementInput!) { draftAgreement(input: $input) {
    __typename ... on AgreementPayload { agreement { id state topics parties { capacity } } }
    ... on Refusal { code field message { en } } } }"""
SIGN = """mutation ($input: AgreementInput!) { signAgreement(input: $input) {
    __typename ... on AgreementPayload { agreement { state availableActions } replayed }
    ... on Preview { nextState } ... on Refusal { code nearMisses { rule } } } }"""
REACH = """mutation ($input: ReachMilestoneInput!) { reachMilestone(input: $input) {
    __typename ... on AgreementPayload { agreement { milestones { title state links { id } } } }
    ... on Refusal { code field } } }"""


async def test_two_parties_draft_and_sign() -> None:
    parties = await create_parties()
    sent: dict[str, Any] = {
        "idempotencyKey": "draft",
        "kind": "STRATEGIC_COOPERATION",
        "title": "战略合作协议",
        "topics": ["carbon-footprint certification"],
        "visibility": "PUBLIC",
        "parties": [
            {
                "organisation": to_global_id("Organisation", officer.organisation_id),
                "capacity": "party",
            }
            for officer in parties.both()
        ],
    }

    drafted = (await ask(parties.steel, DRAFT, input=sent))["draftAgreement"]
    wrong = (await ask(parties.steel, DRAFT, input=sent | {"topics": []}))["draftAgreement"]
    mine = {"idempotencyKey": "sign", "id": drafted["id"]}
    first = (await ask(parties.steel, SIGN, input=mine))["signAgreement"]
    repeated = (await ask(parties.steel, SIGN, input=mine))["signAgreement"]
    again = (await ask(parties.steel, SIGN, input=mine | {"idempotencyKey": "b"}))["signAgreement"]
    foreseen = (await ask(parties.county, SIGN, input=mine | {"preview": True}))["signAgreement"]
    last = (await ask(parties.county, SIGN, input=mine))["signAgreement"]

    assert (drafted["state"], drafted["topics"]) == ("DRAFT", sent["topics"])
    assert (wrong["code"], wrong["field"]) == ("KEY_REUSED", "idempotencyKey")
    assert (first["state"], first["replayed"]) == ("DRAFT", False)
    assert (repeated["state"], repeated["replayed"]) == ("DRAFT", True)
    assert (again["code"], again["nearMisses"]) == ("FORBIDDEN", [{"rule": "G-11"}])
    assert foreseen["nextState"] == "SIGNED"
    assert (last["state"], last["availableActions"]) == ("SIGNED", ["WITHDRAW", "BRING_INTO_FORCE"])


async def test_a_draft_is_for_its_parties_and_the_signed_for_all_it_is_meant_for() -> None:
    parties, stranger = await create_parties(), await create_officer_of("bank")
    await draft(parties, title="draft")
    await sign_by_all(parties, title="public")
    await sign_by_all(parties, title="closed", visibility="parties")

    seen = {
        who: {node["title"] for node in (await ask(officer, LIST))["agreements"]["nodes"]}
        for who, officer in {"party": parties.county, "bank": stranger, "public": None}.items()
    }

    assert seen == {
        "party": {"draft", "public", "closed"},
        "bank": {"public"},
        "public": {"public"},
    }


async def test_the_public_reads_who_agreed_and_not_who_signed() -> None:
    parties = await create_parties()
    await sign_by_all(parties)
    steel = await Organisation.get(id=parties.steel.organisation_id)

    (agreement,) = (await ask(None, LIST))["agreements"]["nodes"]

    assert agreement["drafter"] == {"name": steel.name}
    assert agreement["parties"][0]["organisation"] == {"name": steel.name}
    assert [party["signedBy"] for party in agreement["parties"]] == [None, None]
    assert (agreement["validFrom"], agreement["availableActions"]) == (None, [])


async def test_agreements_are_found_by_party_and_event() -> None:
    first, second = await create_parties(), await create_parties()
    await sign_by_all(first, title="first")
    await sign_by_all(second, title="second", event="another day")

    by_party = {"party": to_global_id("Organisation", second.county.organisation_id)}
    by_event = {"event": "launch of the market, 2022-06-07"}

    for where, title in ((by_party, "second"), (by_event, "first")):
        found = (await ask(None, LIST, where=where))["agreements"]["nodes"]
        assert [agreement["title"] for agreement in found] == [title]


async def test_linked_objects_are_shown_to_those_who_see_them() -> None:
    parties, others = await create_parties(), await create_parties()
    agreement = await create_in_force(parties)
    milestone = await create_milestone(parties, agreement)
    private = await draft(Parties(parties.steel, others.county), visibility="parties")
    link = to_global_id("Agreement", private.id)
    sent = {
        "idempotencyKey": "reach",
        "id": to_global_id("Agreement", agreement.id),
        "milestone": to_global_id("Milestone", milestone.id),
        "reachedOn": "2022-06-07",
        "links": {"agreements": [link]},
    }

    refused = (await ask(parties.county, REACH, input=sent))["reachMilestone"]
    reached = (await ask(parties.steel, REACH, input=sent))["reachMilestone"]
    (public,) = (await ask(None, LIST))["agreements"]["nodes"]

    assert (refused["code"], refused["field"]) == ("NOT_FOUND", "links")
    assert reached["milestones"] == [
        {"title": milestone.title, "state": "REACHED", "links": [{"id": link}]}
    ]
    assert public["milestones"][0]["state"] == "REACHED"
    assert public["milestones"][0]["links"] == []


async def test_past_its_last_day_an_agreement_reads_as_expired(owner: asyncpg.Connection) -> None:
    await stop_clock(owner, datetime(2022, 6, 7, 10, tzinfo=CHINA))
    parties = await create_parties()
    agreement = await create_in_force(parties, valid_until=date(2022, 6, 30))
    milestone = await create_milestone(parties, agreement)
    await execute_as(
        parties.steel,
        reach_milestone,
        id=agreement.id,
        milestone=milestone.id,
        reached_on=date(2022, 6, 7),
        note="done",
    )

    await stop_clock(owner, datetime(2022, 7, 1, 0, tzinfo=CHINA))
    (found,) = (await ask(parties.steel, LIST))["agreements"]["nodes"]

    assert (found["state"], found["availableActions"]) == ("EXPIRED", [])
