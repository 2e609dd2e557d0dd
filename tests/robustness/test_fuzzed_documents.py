"""Every query and mutation with invented arguments, as each role: no unforeseen error."""

import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import hypothesis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.db.session import fetch_all
from schema.framework.global_ids import to_global_id
from schema.root import build_api_schema
from tests.robustness.document_fuzzer import DocumentFuzzer
from tests.support.cluster import Database
from tests.support.live_server import Portal, open_portal

USERS = (
    "demo-province-initiator",
    "demo-province-approver",
    "demo-centre-initiator",
    "demo-centre-approver",
    "demo-langfang-approver",
    "demo-xianghe-initiator",
    "demo-laiyuan-initiator",
    "demo-enterprise-1-initiator",
    "demo-cib-initiator",
    "demo-verifier-initiator",
    "demo-auditor",
    "demonstration-portal",
    "",
)
"""A user of each role; without a name the public."""

FORBIDDEN_MESSAGES = re.compile(
    r"SELECT |INSERT |UPDATE |asyncpg|tortoise|Traceback|NoneType|<class|object at 0x|"
    r"\w+Error\b|relation \"|violates|constraint|unhashable|has no attribute|\.py\b"
)
CODES = {
    "MALFORMED", "TOO_LARGE", "SIGN_IN_REQUIRED", "CLIENT_NOT_REGISTERED",
    "APPOINTMENT_REQUIRED", "KEY_REUSED", "NOT_FOUND",
    "FORBIDDEN", "WRONG_STATE", "CONDITIONS_UNMET", "INSUFFICIENT", "FROZEN", "NOT_IN_FORCE",
    "DUPLICATE",
}  # fmt: skip
OBJECTS = {
    "Organisation": "organisation", "Person": "person", "Appointment": "appointment",
    "Sanction": "sanction", "Client": "client", "Permit": "permit", "Transfer": "transfer",
    "Account": "account", "Instrument": "instrument", "Agreement": "agreement", "Entry": "entry",
    "Project": "construction_project", "Freeze": "freeze_order",
}  # fmt: skip


@pytest.fixture
async def portal(founding_database: Database) -> AsyncIterator[Portal]:
    async with open_portal() as portal:
        yield portal


@pytest.fixture
async def fuzzer(portal: Portal) -> DocumentFuzzer:
    ids = [str(to_global_id(kind, uuid4())) for kind in OBJECTS]
    for kind, table in OBJECTS.items():
        found = await fetch_all(f"SELECT id FROM {table} ORDER BY id LIMIT 12")
        ids += [str(to_global_id(kind, UUID(str(each["id"])))) for each in found]
    return DocumentFuzzer(build_api_schema()._schema, ids)


@pytest.mark.parametrize("who", USERS)
@given(data=st.data())
@settings(
    hypothesis.settings(),
    suppress_health_check=list(HealthCheck),
)
async def test_whatever_is_asked_is_answered_or_refused_in_words(
    portal: Portal, fuzzer: DocumentFuzzer, who: str, data: st.DataObject
) -> None:
    asked = data.draw(fuzzer.requests())
    client = who if who == "demonstration-portal" else "demonstration"
    headers = {"authorization": f"Bearer {portal.token(who, client)}"} if who else {}

    answer = await portal.post(asked.document, asked.variables, **headers)

    assert answer.status_code in {200, 400, 413}, answer.text
    assert assert_well_formed(answer.json()) <= CODES, (asked, answer.text)
    for message in messages(answer.json()):
        assert not FORBIDDEN_MESSAGES.search(message), (asked, message)


def assert_well_formed(answer: dict[str, Any]) -> set[str]:
    """The codes of an answer's errors and of its refusal."""
    codes = {each.get("extensions", {}).get("code", "none") for each in answer.get("errors", ())}
    return codes | {each["code"] for each in refusals(answer)}


def messages(answer: dict[str, Any]) -> list[str]:
    errors = [each["message"] for each in answer.get("errors", ())]
    return errors + [each["message"]["en"] for each in refusals(answer)]


def refusals(answer: dict[str, Any]) -> list[dict[str, Any]]:
    found = (answer.get("data") or {}).values()
    return [each for each in found if isinstance(each, dict) and each["__typename"] == "Refusal"]
