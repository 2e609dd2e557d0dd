"""A mutation answers after COMMIT: the client's selection holds no lock, and can be read again."""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg
import pytest

from registry.access.principals import NIL, Principal, Viewer
from registry.access.viewer_lookup import resolve_viewer
from registry.db.session import fetch_value
from registry.parties.records import Organisation
from schema.framework.context import Context, PlanRunner
from schema.framework.global_ids import to_global_id
from schema.root import build_api_schema
from tests.support.builders import (
    create_officer_of,
    create_organisation,
    install_rules,
    principal_of,
)
from tests.support.cluster import Database

CHANGE = """mutation ($input: ChangeOrganisationInput!) {
    changed: changeOrganisation(input: $input) {
        ... on OrganisationPayload { replayed auditEntry { id operation } organisation { nameEn } }
        ... on Refusal { code } } }"""
LOCKS = """
    SELECT a.state, l.locktype, l.mode FROM pg_stat_activity a JOIN pg_locks l USING (pid)
    WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
        AND a.backend_type = 'client backend'
"""


async def change(
    caller: Principal,
    input: dict[str, Any],
    run_plan: PlanRunner = fetch_value,
    document: str = CHANGE,
) -> Any:  # noqa: ANN401 - a result
    context = Context(caller, run_plan=run_plan)
    return await build_api_schema().execute(document, {"input": input}, context)


@pytest.fixture
async def officer(database: Database, owner: asyncpg.Connection) -> Principal:
    await install_rules(owner)
    return await principal_of(await create_officer_of("centre"))


@pytest.fixture
async def works(officer: Principal) -> dict[str, Any]:
    body = await create_organisation(name="a works", name_en="Works")
    return {"id": to_global_id("Organisation", body.id), "idempotencyKey": "1", "nameEn": "One"}


async def test_no_lock_is_held_while_an_answer_is_read(
    owner: asyncpg.Connection, officer: Principal, works: dict[str, Any]
) -> None:
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def read_slowly(sql: str, values: Sequence[object]) -> Any:  # noqa: ANN401 - as read
        reading.set()
        await go_on.wait()
        return await fetch_value(sql, values)

    slow = asyncio.create_task(change(officer, works, read_slowly))
    await reading.wait()

    assert await owner.fetch(LOCKS) == []
    other = await change(officer, works | {"idempotencyKey": "2", "nameEn": "Two"}, fetch_value)
    assert other.data["changed"]["organisation"] == {"nameEn": "Two"}

    go_on.set()
    # It shows the object as it is when it is read.
    assert (await slow).data["changed"]["organisation"] == {"nameEn": "Two"}


async def test_an_answer_that_fails_names_its_audit_entry_and_is_read_again_under_the_same_key(
    officer: Principal, works: dict[str, Any]
) -> None:
    async def fail(_sql: str, _values: Sequence[object]) -> Any:  # noqa: ANN401 - as read
        raise ConnectionResetError

    failed = await change(officer, works, fail)
    repeated = await change(officer, works, fetch_value)

    (entry,) = {error.extensions["auditEntryId"] for error in failed.errors}
    assert {error.extensions["retryable"] for error in failed.errors} == {True}
    assert repeated.errors is None
    assert repeated.data["changed"] == {
        "replayed": True,
        "auditEntry": {"id": entry, "operation": "CHANGE_ORGANISATION"},
        "organisation": {"nameEn": "One"},
    }


async def test_a_refused_command_names_no_audit_entry(
    officer: Principal, works: dict[str, Any]
) -> None:
    refused = await change(officer, works | {"id": to_global_id("Person", NIL)}, fetch_value)

    assert refused.errors is None
    assert refused.data["changed"] == {"code": "MALFORMED"}


@pytest.mark.parametrize("field", ["permits", "permits(first: 0)", 'permits(first: 1, after: "x")'])
async def test_a_malformed_argument_of_the_answer_is_refused_before_the_command_runs(
    officer: Principal, works: dict[str, Any], field: str
) -> None:
    malformed = CHANGE.replace("nameEn", f"nameEn {field} {{ nodes {{ id }} }}")

    refused = await change(officer, works, document=malformed)
    body = await Organisation.get(name="a works")
    carried_out = await change(officer, works)

    assert refused.errors is None
    assert refused.data["changed"] == {"code": "MALFORMED"}
    assert body.name_en == "Works"
    assert carried_out.data["changed"]["replayed"] is False


async def test_null_and_what_is_left_out_are_one_input_under_a_key(officer: Principal) -> None:
    register = """mutation ($input: RegisterOrganisationInput!) {
        changed: registerOrganisation(input: $input) {
            ... on OrganisationPayload { replayed }
            ... on Refusal { code message { en } } } }"""
    input = {
        "idempotencyKey": "1", "kind": "ENTERPRISE", "name": "New works", "division": "130202",
    }  # fmt: skip

    first = await change(officer, input, document=register)
    repeated = await change(officer, input | {"nameEn": None}, document=register)

    assert first.data["changed"] == {"replayed": False}
    assert repeated.data["changed"] == {"replayed": True}


async def test_null_empties_a_particular_and_leaving_it_out_does_not(
    officer: Principal, works: dict[str, Any]
) -> None:
    del works["nameEn"]

    kept = await change(officer, works | {"industry": "3110"})
    emptied = await change(officer, works | {"idempotencyKey": "2", "nameEn": None})

    assert kept.data["changed"]["organisation"] == {"nameEn": "Works"}
    assert emptied.data["changed"]["organisation"] == {"nameEn": None}


@pytest.mark.parametrize(
    ("changes", "attempts", "code"), [(0, 1, ""), (1, 2, ""), (9, 3, "OVERLOADED")]
)
async def test_an_executed_read_is_repeated_where_access_changed_meanwhile(
    officer: Principal, changes: int, attempts: int, code: str
) -> None:
    read: list[str] = []
    seen: list[Principal] = []

    async def read_while_access_changes(sql: str, values: Sequence[object]) -> Any:  # noqa: ANN401 - as read
        read.append(sql)
        return await fetch_value(sql, values)

    async def look_up(principal: Principal) -> Viewer:
        seen.append(principal)
        return await resolve_viewer(principal)

    context = Context(
        officer,
        run_plan=read_while_access_changes,
        access_version=lambda: min(len(read), changes),
        viewer_lookup=look_up,
    )
    answer = await build_api_schema().execute(
        "{ organisations(first: 1) { totalCount } }", None, context
    )

    assert (len(read), len(seen)) == (attempts, attempts)
    assert [(error.extensions or {})["code"] for error in answer.errors or ()] == (
        [code] if code else []
    )
