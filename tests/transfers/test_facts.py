"""Both faces of every fact of a transfer agree, at every stage, in time and overdue."""

from datetime import timedelta
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest

from policies.vocabulary import VOCABULARY
from registry.access.authorizer import RowFilter, authorizer
from registry.access.principals import NIL, Viewer
from registry.db.named_params import to_positional
from registry.db.session import fetch_all
from registry.transfers.facts import FACTS, TRANSFER
from registry.transfers.records import Transfer
from registry.transfers.rules import DEADLINES, FINAL, NEVER, State, TransferSide
from tests.ledger.ledger_builders import create_right
from tests.policies.shipped import FOLLOWS
from tests.support.builders import LANGFANG, TANGSHAN, create_organisation
from tests.transfers.builders import FOUNDING_DAY, SUM

pytestmark = pytest.mark.usefixtures("open_market")

COUNTY = "131002"
CONTRACTED = (State.CONTRACTED, State.PAID, State.SETTLED, State.DEFAULTED)


async def cases() -> tuple[list[Transfer], list[Viewer]]:
    """Cases in every state, in time and overdue, inside a city and across; and viewers."""
    seller, buyer = (
        await create_organisation(city=LANGFANG),
        await create_organisation(city=TANGSHAN),
    )
    near = await create_organisation(city=LANGFANG)
    right, person = await create_right(), uuid4()
    found = []
    for across, days, state in product((True, False), (-1, 0, 1), State):
        sides: dict[str, Any] = {
            "instrument_id": right.id,
            "seller_id": seller.id,
            "seller_city": LANGFANG,
            "seller_county": COUNTY if across else "",
            "buyer_id": (buyer if across else near).id,
            "buyer_city": TANGSHAN if across else LANGFANG,
            "buyer_county": "",
            "seller_opinion": "favourable" if across else "",
            "buyer_opinion": "unfavourable" if across and state is not State.ELIGIBLE else "",
            "submitted_by": person if days > 0 else uuid4(),
            "submitting_organisation": seller.id,
            "signatories": [person] if across else [],
            "signed_for": [seller.id] if across else [],
        }
        deadline_at = FOUNDING_DAY + timedelta(days=days) if state in DEADLINES else NEVER
        found.append(
            await Transfer.create(
                **sides, **build_stage(state, across, days), deadline_at=deadline_at
            )
        )
    return found, viewers(seller.id, buyer.id, person)


def build_stage(state: State, *key: object) -> dict[str, Any]:
    """A case as it must look in a state; numbers differ by ``key``."""
    awaiting = ""
    if state is State.AWAITING_SIGNATURE:
        awaiting = TransferSide.BUYER if -1 in key else TransferSide.SELLER
    unseen = state is State.DRAFT or awaiting == TransferSide.SELLER
    ended = state in (State.WITHDRAWN, State.REJECTED, State.DEFAULTED)
    return {
        "id": uuid4(),
        "quantity": 12_000,
        "price_fen": SUM // 12,
        "sum_fen": SUM,
        "regime": "cross_region",
        "state": state.value,
        "awaiting": awaiting,
        "offered_at": NEVER if unseen or (state is State.WITHDRAWN and 0 in key) else FOUNDING_DAY,
        "contract_number": f"HT-{key}-{state}" if state in CONTRACTED else "",
        "bank_reference": "BANK-001" if state in (State.PAID, State.SETTLED) else "",
        "number": f"HB-{key}" if state is State.SETTLED else "",
        "reason": "a reason" if ended else "",
        "in_default": "seller" if state is State.DEFAULTED else "",
        "drafted_at": FOUNDING_DAY,
        "changed_at": FOUNDING_DAY,
    }


def viewers(seller: UUID, buyer: UUID, person: UUID) -> list[Viewer]:
    """Every user who may see the cases, once also as a signatory of some."""
    return [
        Viewer(
            role,
            FOUNDING_DAY,
            person=who,
            organisation=body,
            division=division,
            may_initiate=True,
            may_approve=True,
        )
        for role, body, division in (
            ("enterprise", seller, LANGFANG),
            ("enterprise", buyer, TANGSHAN),
            ("city", uuid4(), LANGFANG),
            ("city", uuid4(), TANGSHAN),
            ("city", uuid4(), COUNTY),
            ("county", uuid4(), COUNTY),
            ("province", uuid4(), "130000"),
            ("centre", uuid4(), "130000"),
            ("auditor", uuid4(), "130000"),
            ("bank", uuid4(), LANGFANG),
            ("registry", NIL, ""),
        )
        for who in (person, NIL)
    ]


async def test_predicate_and_sql_of_every_fact_agree() -> None:
    transfers, everybody = await cases()

    for name, fact in FACTS.items():
        for viewer in everybody:
            condition = fact.where.replace("{t}", "t")
            sql, args = to_positional(
                f"SELECT t.id, ({condition}) AS so FROM transfer t", viewer.bind_values()
            )
            by_sql = {row["id"]: row["so"] for row in await fetch_all(sql, *args)}
            by_python = {transfer.id: fact.check(viewer, transfer) for transfer in transfers}
            assert by_sql == by_python, (name, viewer)


async def test_every_fact_is_now_true_now_false() -> None:
    transfers, everybody = await cases()

    for name, fact in FACTS.items():
        answers = {bool(fact.check(v, transfer)) for v in everybody for transfer in transfers}
        assert answers == {True, False}, name


async def test_intrinsic_facts_do_not_ask_who_looks() -> None:
    transfers, everybody = await cases()

    for name, fact in FACTS.items():
        if fact.viewer_independent:
            for transfer in transfers:
                assert len({fact.check(v, transfer) for v in everybody}) == 1, name


async def test_facts_follow_from_each_other_as_the_proofs_of_the_rule_book_take_it() -> None:
    transfers, everybody = await cases()

    for viewer, transfer in product(everybody, transfers):
        true = {name for name, fact in FACTS.items() if fact.check(viewer, transfer)}
        assert not [fact for facts, fact in FOLLOWS if facts <= true and fact not in true]


async def test_what_is_final_is_before_no_contract() -> None:
    transfers, everybody = await cases()

    for transfer in transfers:
        final = FACTS["stage_final"].check(everybody[0], transfer)
        overdue = FACTS["overdue"].check(everybody[0], transfer)
        assert final == (transfer.state in FINAL or overdue)
        assert not (final and FACTS["stage_before_contract"].check(everybody[0], transfer))


@pytest.mark.parametrize("verb", [verb.name for verb in VOCABULARY.kinds["Transfer"].verbs])
async def test_lists_and_verdicts_are_one(verb: str) -> None:
    transfers, everybody = await cases()

    for viewer in everybody:
        allowed = {t.id for t in transfers if authorizer.allows(viewer, TRANSFER, verb, t)}
        listed = authorizer.row_filter(viewer, TRANSFER, verb)
        if isinstance(listed, RowFilter):
            condition = listed.sql.replace("{t}", "t")
            sql, args = to_positional(
                f"SELECT t.id FROM transfer t WHERE {condition}", listed.binds
            )
            assert {row["id"] for row in await fetch_all(sql, *args)} == allowed, viewer
        else:
            assert ({t.id for t in transfers} if listed else set()) == allowed, viewer
