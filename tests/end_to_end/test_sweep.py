"""Each mutation of the schema, tried as each role on objects of every sort, over real HTTP.

The truth tables give the expected result of an attempt. A mutation that has no input in
``inputs.py`` is not known here, and fails the sweep.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

import pytest

from policies.vocabulary import VOCABULARY
from registry.access.viewer_lookup import resolve_viewer
from schema.build import operations_by_mutation
from schema.root import build_api_schema
from tests.end_to_end.expected_decisions import (
    ALLOWED,
    FORBIDDEN,
    NOT_FOUND,
    Attempt,
    Records,
    attempts_on,
    attempts_to_create,
    rolled_back,
)
from tests.end_to_end.inputs import EXISTING_OBJECTS, NEW_OBJECTS
from tests.end_to_end.users import USERS, USERS_IN_2026, DemoUser
from tests.seeds.registry_snapshot import take_snapshot
from tests.support.cluster import Database
from tests.support.live_server import Portal

AT_ONCE = 10
"""Attempts in one document; more would be refused for their aliases."""

REFUSAL = """fragment Why on Refusal { code message { en zh } field retryable rule
    legalBasis { en zh }
    nearMisses { rule legalBasis { en zh } missing { en zh } blocking { en zh } }
    conditions { name met message { en zh } legalBasis { en } source { en zh } } }"""

OF_THE_CASE = {"CONDITIONS_UNMET", "INSUFFICIENT", "FROZEN", "NOT_IN_FORCE", "DUPLICATE"}
"""Refusals of what is allowed: the case itself is not ready."""

ONLY_IN_2026 = {"opineOnTransfer", "expireTransfer"}
"""Allowed on nothing of the founding day: no case crosses cities, none has run out."""

REFERS_TO_NOTHING = {"registerOrganisation", "recordAssessment", "confirmParameter"}

OPERATIONS = operations_by_mutation(build_api_schema())


def test_the_sweep_covers_every_mutation() -> None:
    assert {*EXISTING_OBJECTS, *NEW_OBJECTS} == set(OPERATIONS)
    assert not EXISTING_OBJECTS.keys() & NEW_OBJECTS.keys()
    assert {OPERATIONS[name].build is None for name in EXISTING_OBJECTS} == {True}


@pytest.mark.parametrize("name", USERS)
async def test_every_mutation_answers_by_the_rule_book(portal: Portal, name: str) -> None:
    await check_all_attempts(portal, USERS[name])


@pytest.mark.parametrize("name", USERS_IN_2026)
async def test_across_cities_too(portal_of_2026: Portal, name: str) -> None:
    await check_all_attempts(portal_of_2026, USERS_IN_2026[name])


async def check_all_attempts(portal: Portal, who: DemoUser) -> None:
    """Try everything, and compare with what must come of it."""
    tries = await all_attempts(who)
    before = await take_snapshot()

    answers = [
        answer for some in _chunks(tries) for answer in await send_attempts(portal, who, some)
    ]

    wrong = [
        f"{tried.mutation} on {tried.description}: {tried.expected} {tried.rule}, not {answer}"
        for tried, answer in zip(tries, answers, strict=True)
        if not matches_expectation(tried, answer)
    ]
    wrong += differing_from_absent(tries, answers)
    assert not wrong, "\n".join(wrong)
    assert await take_snapshot() == before


async def test_each_role_meets_what_it_may_do_what_it_may_not_and_what_it_does_not_see(
    registry: Database,
) -> None:
    roles, met = set(), set()
    for who in USERS.values():
        async with rolled_back():
            roles.add((await resolve_viewer(await who.principal())).role)
        met |= {(tried.mutation, tried.expected) for tried in await all_attempts(who)}

    assert roles == set(VOCABULARY.roles) - {"operator", "registry"}
    assert {name for name in OPERATIONS if (name, ALLOWED) not in met} == ONLY_IN_2026
    assert {name for name in OPERATIONS if (name, FORBIDDEN) not in met} == set()
    invisible = {name for name, verdict in met if verdict == NOT_FOUND}
    assert set(OPERATIONS) - invisible == REFERS_TO_NOTHING


async def test_across_cities_the_rest_is_allowed(portal_of_2026: Portal) -> None:
    met = {
        tried.mutation
        for who in USERS_IN_2026.values()
        for tried in await all_attempts(who)
        if tried.expected == ALLOWED
    }

    assert met >= ONLY_IN_2026


async def all_attempts(who: DemoUser) -> list[Attempt]:
    """Every mutation on an object of every sort, as one user."""
    caller, records, tries = await who.principal(), Records(), []
    async with rolled_back():
        viewer = await resolve_viewer(caller)
    signed_in = caller.subject != ""
    for mutation, operation in OPERATIONS.items():
        if mutation in EXISTING_OBJECTS:
            found = attempts_on(viewer, mutation, operation, records, signed_in=signed_in)
        else:
            found = attempts_to_create(
                viewer, mutation, operation, records, build_api_schema(), signed_in=signed_in
            )
        tries += [tried async for tried in found]
    return tries


def _chunks(tries: list[Attempt]) -> Iterator[list[Attempt]]:
    for start in range(0, len(tries), AT_ONCE):
        yield tries[start : start + AT_ONCE]


async def send_attempts(
    portal: Portal, who: DemoUser, tries: Sequence[Attempt]
) -> list[dict[str, Any]]:
    """The answers; what is allowed is only previewed, all else is attempted in earnest."""
    root = build_api_schema()._schema.mutation_type
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
            "preview": tried.expected == ALLOWED,
        }
        for n, tried in enumerate(tries)
    }
    answer = await who.ask(portal, f"mutation ({declared}) {{ {asked} }} {REFUSAL}", inputs)
    assert "errors" not in answer, answer["errors"]
    return [answer["data"][f"m{n}"] for n in range(len(tries))]


def matches_expectation(tried: Attempt, answer: dict[str, Any]) -> bool:
    """Whether the answer is what the truth tables say, a forbidding rule named by its number."""
    if tried.expected == ALLOWED:
        return answer["__typename"] == "Preview" or answer["code"] in OF_THE_CASE
    if answer["__typename"] != "Refusal" or answer["code"] != tried.expected:
        return False
    return not tried.rule or answer["rule"] == tried.rule


def differing_from_absent(tries: list[Attempt], answers: list[dict[str, Any]]) -> list[str]:
    """Attempts on what is invisible that are not answered, word for word, as on what is absent."""
    tried = list(zip(tries, answers, strict=True))
    absent = {(each.mutation, each.id_field): answer for each, answer in tried if each.absent}
    return [
        f"{each.mutation} on {each.description}: {answer},"
        f" not {absent[each.mutation, each.id_field]}"
        for each, answer in tried
        if each.expected == NOT_FOUND and answer != absent[each.mutation, each.id_field]
    ]
