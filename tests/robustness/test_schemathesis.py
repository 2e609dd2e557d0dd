"""Schemathesis asks for every field as each role, and finds no unforeseen error.

It writes arguments into the document; ``test_invented.py`` sends them as variables, and reads the
refusals.
"""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx2
import hypothesis
import pytest
import schemathesis.graphql
from graphql import introspection_from_schema
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from schemathesis import BaseSchema, Case, GenerationMode, Response
from schemathesis.graphql import nodes

from registry.db.session import fetch_all
from schema.framework.global_ids import to_global_id
from schema.root import build_api_schema
from tests.robustness.document_fuzzer import NUMBERS, TEXTS, VALID
from tests.robustness.test_fuzzed_documents import CODES, FORBIDDEN_MESSAGES, OBJECTS, USERS
from tests.support.cluster import Database
from tests.support.live_server import CLIENT, Portal, open_portal

OF_VALIDATION = {"MALFORMED", "TOO_LARGE"}
PROGRAM = "demonstration-portal"


@pytest.fixture
async def portal(founding_database: Database) -> AsyncIterator[Portal]:
    async with open_portal() as portal:
        yield portal


@pytest.fixture
async def schemathesis_schema(portal: Portal) -> BaseSchema:
    """The schema as Schemathesis reads it; it knows what there is, and how our scalars look."""
    ids = []
    for kind, table in OBJECTS.items():
        found = await fetch_all(f"SELECT id FROM {table} ORDER BY id LIMIT 12")
        ids += [str(to_global_id(kind, UUID(str(each["id"])))) for each in found]
    texts = {name: st.sampled_from(values) for name, values in VALID.items()}
    texts |= {"ID": st.sampled_from(ids) | TEXTS, "String": TEXTS}
    for name, strategy in texts.items():
        schemathesis.graphql.scalar(name, strategy.map(nodes.String))
    schemathesis.graphql.scalar("Int", NUMBERS.map(nodes.Int))
    return schemathesis.graphql.from_dict(
        dict(introspection_from_schema(build_api_schema()._schema))
    )


@pytest.mark.parametrize("who", USERS)
@given(data=st.data())
@settings(hypothesis.settings(), suppress_health_check=list(HealthCheck))
async def test_what_schemathesis_asks_is_answered_or_refused_in_words(
    portal: Portal, schemathesis_schema: BaseSchema, who: str, data: st.DataObject
) -> None:
    case = data.draw(schemathesis_schema.as_strategy())

    answer = await send_case(portal, who, case)

    assert answer.status_code in {200, 400, 413}, answer.text
    case.operation.validate_response(Response.from_any(answer), case=case)
    assert codes(answer.json()) <= CODES, (case.body, answer.text)
    assert not FORBIDDEN_MESSAGES.search(answer.text), (case.body, answer.text)


@pytest.mark.parametrize("who", ["", "demo-centre-approver"])
@given(data=st.data())
@settings(hypothesis.settings(), suppress_health_check=list(HealthCheck))
async def test_what_breaks_the_schema_is_refused_before_anything_is_done(
    portal: Portal, schemathesis_schema: BaseSchema, who: str, data: st.DataObject
) -> None:
    case = data.draw(schemathesis_schema.as_strategy(GenerationMode.NEGATIVE))
    # A field without arguments cannot be asked wrongly.
    assume(case.meta and case.meta.generation.mode.is_negative)

    answer = await send_case(portal, who, case)

    assert answer.status_code in {200, 400, 413}, answer.text
    said = answer.json()
    assert not said.get("data"), (case.body, answer.text)
    assert codes(said), (case.body, answer.text)
    assert codes(said) <= OF_VALIDATION, (case.body, answer.text)


async def send_case(portal: Portal, who: str, case: Case[Any]) -> httpx2.Response:
    """The response to a user; the public has no token."""
    client = PROGRAM if who == PROGRAM else CLIENT
    headers = {"authorization": f"Bearer {portal.token(who, client)}"} if who else {}
    return await portal.http.post("/graphql", json={"query": case.body}, headers=headers)


def codes(answer: dict[str, Any]) -> set[str]:
    """The codes of an answer's errors."""
    return {each.get("extensions", {}).get("code", "none") for each in answer.get("errors", ())}
