import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from registry.agreements.operations import (
    bring_into_force,
    complete_agreement,
    draft_agreement,
    sign_agreement,
    terminate_agreement,
    withdraw_agreement,
)
from registry.agreements.records import Agreement, AgreementParty
from registry.commands.operation import Operation
from registry.db.session import fetch_all
from registry.kernel.calendar import CHINA
from registry.kernel.errors import ConditionsUnmet, Forbidden, Malformed, NotFound, Refused
from registry.parties.records import Appointment, Organisation
from tests.agreements.builders import (
    Parties,
    agreement_args,
    create_in_force,
    create_parties,
    draft,
    sign_by_all,
)
from tests.permits.builders import execute_as
from tests.support.builders import (
    count_audit_entries,
    create_officer,
    create_officer_of,
    stop_clock,
)


async def test_a_draft_names_its_parties_in_their_order() -> None:
    parties = await create_parties()

    agreement = await draft(parties)

    listed = await AgreementParty.filter(agreement_id=agreement.id).order_by("position")
    assert [party.organisation_id for party in listed] == agreement.parties
    assert [(party.capacity, party.signed_at) for party in listed] == [
        ("party 1", None),
        ("party 2", None),
    ]
    assert (agreement.state, agreement.signed, agreement.valid_from) == ("draft", [], None)


async def test_nobody_drafts_for_others() -> None:
    parties, stranger = await create_parties(), await create_officer_of("bank")

    with pytest.raises(Forbidden):
        await execute_as(stranger, draft_agreement, **agreement_args(*parties.both()))

    assert await Agreement.all().count() == 0


async def test_twenty_parties_sign_one_agreement_and_twenty_one_do_not() -> None:
    officers = [await create_officer_of("government") for _ in range(21)]

    with pytest.raises(Malformed):
        await execute_as(officers[0], draft_agreement, **agreement_args(*officers))

    drafted = await execute_as(officers[0], draft_agreement, **agreement_args(*officers[:20]))
    assert await AgreementParty.filter(agreement_id=drafted.record.id).count() == 20


async def test_an_agreement_has_two_parties_each_once() -> None:
    parties = await create_parties()

    for wrong in ([parties.steel], [parties.steel, parties.steel], []):
        with pytest.raises(Malformed) as refusal:
            await execute_as(parties.steel, draft_agreement, **agreement_args(*wrong))
        assert refusal.value.field == "parties"


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("title", {"title": " "}),
        ("title", {"title": "x" * 301}),
        ("topics", {"topics": []}),
        ("topics", {"topics": [f"topic {n}" for n in range(21)]}),
        ("topics", {"topics": ["sinks", "sinks "]}),
        ("topics", {"topics": [""]}),
        ("event", {"event": "x" * 201}),
        ("validUntil", {"valid_from": date(2022, 6, 7), "valid_until": date(2022, 6, 6)}),
    ],
)
async def test_a_malformed_draft_is_refused_by_field(field: str, wrong: dict[str, Any]) -> None:
    parties = await create_parties()

    with pytest.raises(Malformed) as refusal:
        await draft(parties, **wrong)

    assert refusal.value.field == field
    assert await count_audit_entries() == 0


async def test_a_party_that_is_not_in_the_register_is_not_found() -> None:
    parties = await create_parties()
    args = agreement_args(*parties.both())
    args["parties"][1]["organisation"] = uuid4()

    with pytest.raises(NotFound):
        await execute_as(parties.steel, draft_agreement, **args)


@pytest.mark.parametrize("kind", ["verifier", "auditor", "portal"])
async def test_who_never_signs_is_no_party(kind: str) -> None:
    parties, third = await create_parties(), await create_officer_of(kind)

    with pytest.raises(ConditionsUnmet) as refusal:
        await execute_as(parties.steel, draft_agreement, **agreement_args(*parties.both(), third))

    assert [condition.met for condition in refusal.value.conditions] == [True, True, False]


async def test_a_closed_organisation_is_no_party() -> None:
    parties = await create_parties()
    await Organisation.filter(id=parties.county.organisation_id).update(state="closed")

    with pytest.raises(ConditionsUnmet):
        await draft(parties)


async def test_each_party_signs_once_and_the_last_makes_it_signed() -> None:
    parties = await create_parties()
    agreement = await draft(parties)

    first = await execute_as(parties.county, sign_agreement, id=agreement.id)
    assert (first.record.state, first.record.signed) == (
        "draft",
        [parties.county.organisation_id],
    )
    last = await execute_as(parties.steel, sign_agreement, id=agreement.id)

    assert last.record.state == "signed"
    signatures = await AgreementParty.filter(agreement_id=agreement.id).order_by("position")
    assert [(party.signed_by, party.audit_entry_id) for party in signatures] == [
        (parties.steel.person_id, last.audit_entry_id),
        (parties.county.person_id, first.audit_entry_id),
    ]


async def test_a_party_does_not_sign_twice() -> None:
    parties = await create_parties()
    agreement = await draft(parties)
    colleague = await _create_colleague(parties)
    await execute_as(parties.steel, sign_agreement, id=agreement.id)

    for officer in (parties.steel, colleague):
        with pytest.raises(Forbidden) as refusal:
            await execute_as(officer, sign_agreement, id=agreement.id)
        assert [miss.rule for miss in refusal.value.near_misses] == ["G-11"]

    assert (await Agreement.get(id=agreement.id)).state == "draft"


async def test_two_officers_of_one_party_give_one_signature_when_they_sign_at_once() -> None:
    parties = await create_parties()
    agreement = await draft(parties)
    officers = [parties.steel, *[await _create_colleague(parties) for _ in range(3)]]

    answers = await asyncio.gather(
        *(execute_as(officer, sign_agreement, id=agreement.id) for officer in officers),
        return_exceptions=True,
    )

    assert sorted(isinstance(answer, Forbidden) for answer in answers) == [False, True, True, True]
    assert (await Agreement.get(id=agreement.id)).signed == [parties.steel.organisation_id]


async def test_both_parties_signing_at_once_make_it_signed() -> None:
    parties = await create_parties()
    agreement = await draft(parties)

    await asyncio.gather(
        *(execute_as(officer, sign_agreement, id=agreement.id) for officer in parties.both())
    )

    signed = await Agreement.get(id=agreement.id)
    assert (signed.state, set(signed.signed)) == ("signed", set(signed.parties))


async def test_a_stranger_cannot_distinguish_a_draft_from_nothing() -> None:
    parties, stranger = await create_parties(), await create_officer_of("bank")
    agreement = await draft(parties)

    answers = []
    for id in (agreement.id, uuid4()):
        with pytest.raises(Refused) as refusal:
            await execute_as(stranger, sign_agreement, id=id)
        answers.append((refusal.type, refusal.value.message))

    assert answers[0] == answers[1]
    assert answers[0][0] is NotFound


@pytest.mark.parametrize("kind", ["bank", "auditor"])
async def test_who_sees_an_agreement_does_not_yet_sign_it(kind: str) -> None:
    parties, stranger = await create_parties(), await create_officer_of(kind)
    agreement = await sign_by_all(parties)

    with pytest.raises(Forbidden):
        await execute_as(stranger, sign_agreement, id=agreement.id)


async def test_an_agreement_of_the_parties_stays_hidden_when_signed() -> None:
    parties, stranger = await create_parties(), await create_officer_of("bank")
    agreement = await sign_by_all(parties, visibility="parties")

    with pytest.raises(NotFound):
        await execute_as(stranger, terminate_agreement, id=agreement.id, reason="x")


@pytest.mark.parametrize("maker", [draft, sign_by_all])
async def test_a_party_withdraws_before_it_is_in_force(
    maker: Callable[[Parties], Awaitable[Agreement]],
) -> None:
    parties = await create_parties()
    agreement = await maker(parties)

    withdrawn = (
        await execute_as(parties.county, withdraw_agreement, id=agreement.id, reason="no funds")
    ).record

    assert (withdrawn.state, withdrawn.reason) == ("withdrawn", "no funds")
    with pytest.raises(Forbidden):
        await execute_as(parties.steel, sign_agreement, id=agreement.id)


async def test_what_is_in_force_is_not_withdrawn_but_terminated() -> None:
    parties = await create_parties()
    agreement = await create_in_force(parties)

    with pytest.raises(Forbidden):
        await execute_as(parties.county, withdraw_agreement, id=agreement.id, reason="no funds")
    ended = await execute_as(
        parties.county, terminate_agreement, id=agreement.id, reason="no funds"
    )

    assert (ended.record.state, ended.record.reason) == ("terminated", "no funds")


@pytest.mark.parametrize("operation", [withdraw_agreement, terminate_agreement])
async def test_an_end_needs_a_reason(operation: Operation[Agreement]) -> None:
    parties = await create_parties()
    agreement = await (
        draft(parties) if operation is withdraw_agreement else create_in_force(parties)
    )

    with pytest.raises(Malformed) as refusal:
        await execute_as(parties.steel, operation, id=agreement.id, reason="\n")

    assert refusal.value.field == "reason"


async def test_terminating_needs_the_right_to_approve() -> None:
    parties = await create_parties()
    agreement = await create_in_force(parties)
    clerk = await _create_colleague(parties, may_approve=False)

    with pytest.raises(Forbidden) as refusal:
        await execute_as(clerk, terminate_agreement, id=agreement.id, reason="no funds")

    assert refusal.value.rule == "N-60/terminate"


async def test_a_draft_that_is_not_signed_by_all_does_not_come_into_force() -> None:
    parties = await create_parties()
    agreement = await draft(parties)
    await execute_as(parties.steel, sign_agreement, id=agreement.id)

    with pytest.raises(Forbidden):
        await execute_as(parties.steel, bring_into_force, id=agreement.id)


@pytest.mark.parametrize(
    ("term", "runs"),
    [
        ({"valid_from": date(2022, 6, 7), "valid_until": date(2022, 6, 7)}, True),
        ({"valid_from": date(2022, 6, 8)}, False),
        ({"valid_until": date(2022, 6, 6)}, False),
        ({}, True),
    ],
)
async def test_an_agreement_comes_into_force_within_its_term(
    owner: asyncpg.Connection, term: dict[str, Any], *, runs: bool
) -> None:
    await stop_clock(owner, datetime(2022, 6, 7, 23, 59, tzinfo=CHINA))
    parties = await create_parties()

    if runs:
        assert (await create_in_force(parties, **term)).state == "in_force"
    else:
        with pytest.raises(ConditionsUnmet):
            await create_in_force(parties, **term)


async def test_past_its_last_day_an_agreement_has_expired(owner: asyncpg.Connection) -> None:
    await stop_clock(owner, datetime(2022, 6, 7, 10, tzinfo=CHINA))
    parties = await create_parties()
    agreement = await create_in_force(parties, valid_until=date(2022, 6, 30))

    await stop_clock(owner, datetime(2022, 7, 1, 0, tzinfo=CHINA))

    with pytest.raises(Forbidden):
        await execute_as(parties.steel, complete_agreement, id=agreement.id)


async def test_the_same_key_signs_once() -> None:
    parties = await create_parties()
    agreement = await draft(parties)

    await execute_as(parties.steel, sign_agreement, key="same", id=agreement.id)
    again = await execute_as(parties.steel, sign_agreement, key="same", id=agreement.id)

    assert (again.is_replay, again.record.signed) == (True, [parties.steel.organisation_id])


async def test_a_preview_of_the_last_signature_shows_signed_and_signs_nothing() -> None:
    parties = await create_parties()
    agreement = await draft(parties)
    await execute_as(parties.county, sign_agreement, id=agreement.id)

    outcome = await execute_as(parties.steel, sign_agreement, id=agreement.id, preview=True)

    assert outcome.preview is not None
    assert outcome.preview.next_state == "signed"
    assert (await Agreement.get(id=agreement.id)).signed == [parties.county.organisation_id]


async def test_the_life_of_an_agreement_is_in_its_history() -> None:
    parties = await create_parties()

    agreement = await create_in_force(parties)

    history = await fetch_all(
        "SELECT operation, rule, state_after FROM audit_entry WHERE object_id = $1"
        " ORDER BY at, written_at",
        agreement.id,
    )
    assert [tuple(entry.values()) for entry in history] == [
        ("draft_agreement", "G-10", "draft"),
        ("sign_agreement", "G-11", "draft"),
        ("sign_agreement", "G-11", "signed"),
        ("bring_into_force", "G-14", "in_force"),
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE agreement_party SET signed_at = now()",
        "UPDATE agreement_party SET capacity = 'other'",
        "DELETE FROM agreement_party",
    ],
)
async def test_a_signature_stays(owner: asyncpg.Connection, statement: str) -> None:
    await sign_by_all(await create_parties())

    with pytest.raises(asyncpg.PostgresError) as error:
        await owner.execute(statement)

    assert error.value.sqlstate == "BD009"


@pytest.mark.parametrize(
    ("column", "constraint"),
    [
        ("state = 'signed'", "agreement_signed_by_all"),
        ("state = 'in_force'", "agreement_signed_by_all"),
        ("state = 'terminated', reason = 'x'", "agreement_signed_by_all"),
        ("state = 'withdrawn'", "agreement_reason_of_end"),
        ("signed = ARRAY[gen_random_uuid()]", "agreement_signed_by_parties"),
    ],
)
async def test_the_database_holds_no_impossible_agreement(
    owner: asyncpg.Connection, column: str, constraint: str
) -> None:
    await draft(await create_parties())

    with pytest.raises(asyncpg.CheckViolationError) as error:
        await owner.execute(f"UPDATE agreement SET {column}")

    assert error.value.constraint_name == constraint


async def _create_colleague(parties: Parties, *, may_approve: bool = True) -> Appointment:
    body = await Organisation.get(id=parties.steel.organisation_id)
    return await create_officer(body, may_approve=may_approve)
