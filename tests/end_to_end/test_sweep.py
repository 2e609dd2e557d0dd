"""Each mutation of the schema, tried as each role on objects of every sort, over real HTTP.

What must come of an attempt is told by the truth tables. A mutation that has no input in
``inputs.py`` is not known here, and fails the sweep.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

import pytest

from policies.vocabulary import ROLES
from registry.access.viewer_lookup import enter
from schema.build import guards
from schema.root import whole_schema
from tests.end_to_end.expected_decisions import (
    ALLOWED,
    FORBIDDEN,
    NOT_FOUND,
    Records,
    Try,
    tries_on,
    tries_to_make,
    undone,
)
from tests.end_to_end.inputs import EXISTING, NEW
from tests.end_to_end.world import WHO, WHO_IN_2026, Who
from tests.seeds.registry_snapshot import standing
from tests.support.cluster import Database
from tests.support.live_server import Portal

AT_ONCE = 10
"""Attempts in one document; more would be refused for their aliases."""

REFUSAL = """fragment Why on Refusal { code message messageZh field retryable rule ground
    misses { rule ground missing { en zh } blocking { en zh } }
    conditions { name met message messageZh ground source } }"""

OF_THE_CASE = {"CONDITIONS_UNMET", "INSUFFICIENT", "FROZEN", "NOT_IN_FORCE", "DUPLICATE"}
"""Refusals of what is allowed: the case itself is not ready."""

ONLY_IN_2026 = {"opineOnTransfer", "expireTransfer"}
"""Allowed on nothing of the founding day: no case crosses cities, none has run out."""

REFERS_TO_NOTHING = {"registerOrganisation", "recordAssessment"}

GUARDS = guards(whole_schema())


def test_the_sweep_knows_every_mutation() -> None:
    assert {*EXISTING, *NEW} == set(GUARDS)
    assert not EXISTING.keys() & NEW.keys()
    assert {GUARDS[name].operation.propose is None for name in EXISTING} == {True}


@pytest.mark.parametrize("name", WHO)
async def test_every_mutation_answers_as_the_rule_book_says(portal: Portal, name: str) -> None:
    await sweep(portal, WHO[name])


@pytest.mark.parametrize("name", WHO_IN_2026)
async def test_across_cities_too(portal_of_2026: Portal, name: str) -> None:
    await sweep(portal_of_2026, WHO_IN_2026[name])


async def sweep(portal: Portal, who: Who) -> None:
    """Try everything, and compare with what must come of it."""
    tries = await all_tries(who)
    before = await standing()

    answers = [answer for some in _chunks(tries) for answer in await sent(portal, who, some)]

    wrong = [
        f"{tried.mutation} on {tried.about}: {tried.verdict} {tried.rule}, not {answer}"
        for tried, answer in zip(tries, answers, strict=True)
        if not as_told(tried, answer)
    ]
    wrong += unlike_absent(tries, answers)
    assert not wrong, "\n".join(wrong)
    assert await standing() == before


async def test_each_role_meets_what_it_may_do_what_it_may_not_and_what_it_does_not_see(
    registry: Database,
) -> None:
    roles, met = set(), set()
    for who in WHO.values():
        async with undone():
            roles.add((await enter(await who.caller())).role)
        met |= {(tried.mutation, tried.verdict) for tried in await all_tries(who)}

    assert roles == set(ROLES) - {"operator", "registry"}
    assert {name for name in GUARDS if (name, ALLOWED) not in met} == ONLY_IN_2026
    assert {name for name in GUARDS if (name, FORBIDDEN) not in met} == set()
    invisible = {name for name, verdict in met if verdict == NOT_FOUND}
    assert set(GUARDS) - invisible == REFERS_TO_NOTHING


async def test_across_cities_the_rest_is_allowed(portal_of_2026: Portal) -> None:
    met = {
        tried.mutation
        for who in WHO_IN_2026.values()
        for tried in await all_tries(who)
        if tried.verdict == ALLOWED
    }

    assert met >= ONLY_IN_2026


async def all_tries(who: Who) -> list[Try]:
    """Every mutation on an object of every sort, as somebody."""
    caller, records, tries = await who.caller(), Records(), []
    async with undone():
        viewer = await enter(caller)
    signed_in = caller.subject != ""
    for mutation, guard in GUARDS.items():
        if mutation in EXISTING:
            found = tries_on(viewer, mutation, guard, records, signed_in=signed_in)
        else:
            found = tries_to_make(
                viewer, mutation, guard, records, whole_schema(), signed_in=signed_in
            )
        tries += [tried async for tried in found]
    return tries


def _chunks(tries: list[Try]) -> Iterator[list[Try]]:
    for start in range(0, len(tries), AT_ONCE):
        yield tries[start : start + AT_ONCE]


async def sent(portal: Portal, who: Who, tries: Sequence[Try]) -> list[dict[str, Any]]:
    """The answers; what is allowed is only previewed, all else is attempted in earnest."""
    root = whole_schema()._schema.mutation_type
    assert root is not None
    declared = ", ".join(
        f"$i{n}: {root.fields[tried.mutation].args['input'].type}" for n, tried in enumerate(tries)
    )
    asked = " ".join(
        f"m{n}: {tried.mutation}(input: $i{n}) {{ __typename ...Why }}"
        for n, tried in enumerate(tries)
    )
    inputs = {
        f"i{n}": {
            **tried.input,
            "idempotencyKey": str(uuid4()),
            "preview": tried.verdict == ALLOWED,
        }
        for n, tried in enumerate(tries)
    }
    answer = await who.asks(portal, f"mutation ({declared}) {{ {asked} }} {REFUSAL}", inputs)
    assert "errors" not in answer, answer["errors"]
    return [answer["data"][f"m{n}"] for n in range(len(tries))]


def as_told(tried: Try, answer: dict[str, Any]) -> bool:
    """Whether the answer is what the truth tables say, a forbidding rule named by its number."""
    if tried.verdict == ALLOWED:
        return answer["__typename"] == "Preview" or answer["code"] in OF_THE_CASE
    if answer["__typename"] != "Refusal" or answer["code"] != tried.verdict:
        return False
    return not tried.rule or answer["rule"] == tried.rule


def unlike_absent(tries: list[Try], answers: list[dict[str, Any]]) -> list[str]:
    """Attempts on what is invisible that are not answered, word for word, as on what is absent."""
    tried = list(zip(tries, answers, strict=True))
    absent = {(each.mutation, each.names): answer for each, answer in tried if each.absent}
    return [
        f"{each.mutation} on {each.about}: {answer}, not {absent[each.mutation, each.names]}"
        for each, answer in tried
        if each.verdict == NOT_FOUND and answer != absent[each.mutation, each.names]
    ]
