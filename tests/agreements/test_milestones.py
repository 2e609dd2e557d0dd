from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from registry.agreements.milestones import plan_milestone, reach_milestone
from registry.agreements.operations import complete_agreement
from registry.agreements.records import Agreement, Milestone
from registry.kernel.calendar import CHINA
from registry.kernel.errors import (
    ConditionsUnmet,
    Duplicate,
    Forbidden,
    Malformed,
    NotFound,
    WrongState,
)
from registry.parties.records import Appointment
from tests.agreements.builders import (
    create_in_force,
    create_milestone,
    create_parties,
    draft,
    sign_by_all,
)
from tests.permits.builders import (
    create_emitter,
    create_province_officer,
    execute_as,
    register_new_permit,
)
from tests.support.builders import create_officer_of, stop_clock

DAY = date(2022, 6, 7)


@pytest.fixture(autouse=True)
async def noon(rules: None, owner: asyncpg.Connection) -> None:
    await stop_clock(owner, datetime(2022, 6, 7, 12, tzinfo=CHINA))


async def test_a_reached_milestone_keeps_its_evidence() -> None:
    parties = await create_parties()
    agreement = await create_in_force(parties)
    milestone = await create_milestone(parties, agreement)
    permit = await register_new_permit(await create_province_officer(), await create_emitter())

    await execute_as(
        parties.steel,
        reach_milestone,
        id=agreement.id,
        milestone=milestone.id,
        reached_on=DAY,
        note=" founded ",
        sha256="AB" * 32,
        links={"permits": [permit.id], "organisations": [parties.county.organisation_id]},
    )

    reached = await Milestone.get(agreement_id=agreement.id)
    assert (reached.state, reached.reached_on, reached.note) == ("reached", DAY, "founded")
    assert reached.sha256 == "ab" * 32
    assert reached.links == [
        {"kind": "Organisation", "id": str(parties.county.organisation_id)},
        {"kind": "Permit", "id": str(permit.id)},
    ]


@pytest.mark.parametrize(
    "evidence", [{"note": "done"}, {"sha256": "0" * 64}, {"links": "the agreement itself"}]
)
async def test_one_kind_of_evidence_is_enough(evidence: dict[str, Any]) -> None:
    parties = await create_parties()
    agreement = await create_in_force(parties)
    milestone = await create_milestone(parties, agreement)
    if "links" in evidence:
        evidence = {"links": {"agreements": [agreement.id, agreement.id]}}

    await _reach(parties.steel, agreement, milestone.id, **evidence)

    reached = await Milestone.get(agreement_id=agreement.id)
    assert len(reached.links) == ("links" in evidence)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("note", {"note": " "}),
        ("note", {"links": {}}),
        ("note", {"note": "x" * 4001}),
        ("sha256", {"sha256": "abc"}),
        ("reachedOn", {"note": "done", "reached_on": date(2022, 6, 8)}),
        ("links", {"links": {"permits": [uuid4() for _ in range(51)]}}),
    ],
)
async def test_a_milestone_is_not_reached_without_good_evidence(
    field: str, wrong: dict[str, Any]
) -> None:
    parties = await create_parties()
    agreement = await create_in_force(parties)
    milestone = await create_milestone(parties, agreement)

    with pytest.raises(Malformed) as refusal:
        await _reach(parties.steel, agreement, milestone.id, **wrong)

    assert refusal.value.field == field
    assert (await Milestone.get(agreement_id=agreement.id)).state == "planned"


async def test_an_invisible_object_is_linked_no_more_than_an_absent_one() -> None:
    parties = await create_parties()
    agreement = await create_in_force(parties)
    milestone = await create_milestone(parties, agreement)
    hidden = await draft(await create_parties(), visibility="parties")

    answers = []
    for id in (hidden.id, uuid4()):
        with pytest.raises(NotFound) as refusal:
            await _reach(parties.steel, agreement, milestone.id, links={"agreements": [id]})
        answers.append((refusal.value.field, refusal.value.message))

    assert answers[0] == answers[1]
    assert answers[0][0] == "links"


async def test_a_milestone_is_reached_once() -> None:
    parties = await create_parties()
    agreement = await create_in_force(parties)
    milestone = await create_milestone(parties, agreement)
    await _reach(parties.steel, agreement, milestone.id, note="done")

    with pytest.raises(WrongState):
        await _reach(parties.county, agreement, milestone.id, note="done again")


async def test_a_milestone_of_another_agreement_is_not_found() -> None:
    parties = await create_parties()
    agreement, other = await create_in_force(parties), await create_in_force(parties)
    milestone = await create_milestone(parties, other)

    with pytest.raises(NotFound) as refusal:
        await _reach(parties.steel, agreement, milestone.id, note="done")

    assert refusal.value.field == "milestone"


async def test_a_title_is_planned_once_in_an_agreement() -> None:
    parties = await create_parties()
    agreement, other = await create_in_force(parties), await create_in_force(parties)
    await create_milestone(parties, agreement)

    with pytest.raises(Duplicate):
        await create_milestone(parties, agreement)

    assert await create_milestone(parties, other)


@pytest.mark.parametrize(
    ("due_on", "allowed"), [(None, True), (date(2023, 6, 6), True), (date(2023, 6, 7), False)]
)
async def test_a_milestone_is_due_within_the_term(due_on: date | None, *, allowed: bool) -> None:
    parties = await create_parties()
    agreement = await create_in_force(parties, valid_until=date(2023, 6, 6))
    args: dict[str, Any] = {"id": agreement.id, "title": "first sale", "due_on": due_on}

    if allowed:
        assert await execute_as(parties.steel, plan_milestone, **args)
    else:
        with pytest.raises(ConditionsUnmet):
            await execute_as(parties.steel, plan_milestone, **args)


async def test_work_is_planned_only_in_force_and_only_by_parties() -> None:
    parties, stranger = await create_parties(), await create_officer_of("bank")
    signed, agreement = await sign_by_all(parties), await create_in_force(parties)

    with pytest.raises(Forbidden):
        await create_milestone(parties, signed)
    with pytest.raises(Forbidden):
        await execute_as(stranger, plan_milestone, id=agreement.id, title="ours")


async def test_an_agreement_with_an_open_milestone_is_not_complete() -> None:
    parties = await create_parties()
    agreement = await create_in_force(parties)
    first = await create_milestone(parties, agreement, "company founded")
    second = await create_milestone(parties, agreement, "first sale")
    await _reach(parties.steel, agreement, first.id, note="done")

    with pytest.raises(ConditionsUnmet) as refusal:
        await execute_as(parties.steel, complete_agreement, id=agreement.id)

    assert [condition.met for condition in refusal.value.conditions] == [True, False]
    assert "first sale" in refusal.value.message.en
    await _reach(parties.steel, agreement, second.id, note="done")
    completed = (await execute_as(parties.steel, complete_agreement, id=agreement.id)).record
    assert completed.state == "completed"


async def test_a_preview_of_completion_lists_what_is_open() -> None:
    parties = await create_parties()
    agreement = await create_in_force(parties)
    await create_milestone(parties, agreement)

    outcome = await execute_as(parties.steel, complete_agreement, id=agreement.id, preview=True)

    assert outcome.preview is not None
    assert [condition.met for condition in outcome.preview.conditions] == [False]
    assert (await Agreement.get(id=agreement.id)).state == "in_force"


async def _reach(
    who: Appointment, agreement: Agreement, milestone: UUID, **evidence: object
) -> None:
    args: dict[str, Any] = {"reached_on": DAY} | evidence
    await execute_as(who, reach_milestone, id=agreement.id, milestone=milestone, **args)
