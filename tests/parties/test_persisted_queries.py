"""Registered documents of client programs, through the frame and past it."""

import asyncio
from hashlib import sha256

import asyncpg
import pytest

from registry.kernel.errors import ConditionsUnmet, Duplicate, Forbidden, Malformed, NotFound
from registry.parties import persisted_queries
from registry.parties.operations import revoke_client
from registry.parties.persisted_queries import (
    PersistedQueryLookup,
    lookup_persisted_query,
    register_persisted_query,
    restrict_to_persisted_queries,
    retire_persisted_query,
    sha256_of,
)
from registry.parties.records import Appointment, Client
from registry.parties.rules import MAX_PERSISTED_QUERY_BYTES
from schema.framework.global_ids import to_global_id
from tests.support.answers import answer_to
from tests.support.builders import (
    create_client,
    create_officer,
    create_officer_of,
    create_organisation,
    get_province,
    perform,
    principal_of,
    viewer_of,
)

LISTED = """query ($client: ID!) {
    node(id: $client) { ... on Client { persistedQueries { sha256 bytes retiredAt } } } }"""
TEXT = "query 当前身份 { viewer { role } }\n"
HASH = sha256(TEXT.encode()).hexdigest()


async def test_a_persisted_query_is_identified_by_the_hash_of_its_text() -> None:
    body = await create_organisation()
    client, officer = await create_client(body), await principal_of(await create_officer(body))

    await perform(register_persisted_query, officer, id=client.id, text=TEXT)

    assert await lookup_persisted_query(client.name, HASH) == PersistedQueryLookup(
        persisted_queries_only=False, text=TEXT
    )
    assert (
        await lookup_persisted_query(client.name, sha256_of(TEXT.strip())) == PersistedQueryLookup()
    )
    assert await lookup_persisted_query("nobody", HASH) == PersistedQueryLookup()


async def test_a_persisted_query_belongs_to_one_client() -> None:
    body = await create_organisation()
    mine, other = await create_client(body), await create_client(body)
    officer = await principal_of(await create_officer(body))

    await perform(register_persisted_query, officer, id=mine.id, text=TEXT)

    assert (await lookup_persisted_query(other.name, HASH)).text is None
    await perform(register_persisted_query, officer, id=other.id, text=TEXT)
    assert (await lookup_persisted_query(other.name, HASH)).text == TEXT


async def test_a_retired_document_is_not_sent_until_it_is_registered_again() -> None:
    province, client = (
        await create_officer_of("province"),
        await create_client(await create_organisation()),
    )
    await perform(register_persisted_query, province, id=client.id, text=TEXT)
    with pytest.raises(Duplicate) as taken:
        await perform(register_persisted_query, province, id=client.id, text=TEXT)

    await perform(retire_persisted_query, province, id=client.id, sha256=HASH)

    assert taken.value.field == "text"
    assert (await lookup_persisted_query(client.name, HASH)).text is None
    answer = await answer_to(viewer_of(province), LISTED, client=to_global_id("Client", client.id))
    (listed,) = answer["node"]["persistedQueries"]
    assert (listed["sha256"], listed["bytes"]) == (HASH, len(TEXT.encode()))
    assert listed["retiredAt"]
    with pytest.raises(ConditionsUnmet):
        await perform(retire_persisted_query, province, id=client.id, sha256=HASH)
    await perform(register_persisted_query, province, id=client.id, text=TEXT)
    assert (await lookup_persisted_query(client.name, HASH)).text == TEXT


async def test_a_client_is_restricted_to_persisted_queries_and_released() -> None:
    province, client = (
        await create_officer_of("province"),
        await create_client(await create_organisation()),
    )

    await perform(
        restrict_to_persisted_queries, province, id=client.id, persisted_queries_only=True
    )
    confined = await lookup_persisted_query(client.name, "")
    await perform(
        restrict_to_persisted_queries, province, id=client.id, persisted_queries_only=False
    )

    assert confined == PersistedQueryLookup(persisted_queries_only=True)
    assert await lookup_persisted_query(client.name, "") == PersistedQueryLookup()


async def test_the_last_client_of_the_officers_is_neither_restricted_nor_revoked() -> None:
    province = await create_officer_of("province")
    desk = await create_client(await get_province(), first_party=True)
    await create_client(await get_province(), first_party=True, state="revoked")
    await create_client(await get_province(), first_party=True, persisted_queries_only=True)

    for last in (_restrict, _revoke):
        with pytest.raises(ConditionsUnmet) as refusal:
            await last(province, desk)
        assert refusal.value.conditions[0].name == "officers_keep_client"
    await perform(restrict_to_persisted_queries, province, id=desk.id, persisted_queries_only=False)

    await create_client(await get_province(), first_party=True)
    await _restrict(province, desk)
    assert (await lookup_persisted_query(desk.name, "")).persisted_queries_only


async def test_a_client_bound_by_scopes_is_no_client_of_the_officers() -> None:
    province = await create_officer_of("province")
    await create_client(await get_province(), first_party=True)
    scoped = await create_client(await get_province())

    await _restrict(province, scoped)
    await _revoke(province, scoped)

    assert (await Client.get(id=scoped.id)).state == "revoked"


async def test_of_two_officers_who_restrict_the_last_two_clients_one_is_refused() -> None:
    province = await create_officer_of("province")
    last = [await create_client(await get_province(), first_party=True) for _ in range(2)]

    both = await asyncio.gather(
        *(_restrict(province, client) for client in last), return_exceptions=True
    )

    assert [type(each) for each in both if isinstance(each, Exception)] == [ConditionsUnmet]


async def _restrict(who: Appointment, client: Client) -> None:
    await perform(restrict_to_persisted_queries, who, id=client.id, persisted_queries_only=True)


async def _revoke(who: Appointment, client: Client) -> None:
    await perform(revoke_client, who, id=client.id)


async def test_persisted_queries_of_others_and_revoked_clients_are_unchangeable() -> None:
    body = await create_organisation()
    client, province = await create_client(body), await create_officer_of("province")
    stranger = await principal_of(await create_officer(await create_organisation()))
    approver = await principal_of(await create_officer(body, may_initiate=False))

    with pytest.raises(NotFound):
        await perform(register_persisted_query, stranger, id=client.id, text=TEXT)
    with pytest.raises(Forbidden) as refusal:
        await perform(register_persisted_query, approver, id=client.id, text=TEXT)
    await perform(revoke_client, province, id=client.id)
    with pytest.raises(Forbidden):
        await perform(register_persisted_query, province, id=client.id, text=TEXT)

    assert refusal.value.rule == "N-30/register_persisted_query"


@pytest.mark.parametrize("text", ["", "a" * (MAX_PERSISTED_QUERY_BYTES + 1), "省" * 11_000, "{\0}"])
async def test_no_document_is_empty_too_long_or_unstorable(text: str) -> None:
    province, client = (
        await create_officer_of("province"),
        await create_client(await create_organisation()),
    )

    with pytest.raises(Malformed) as refusal:
        await perform(register_persisted_query, province, id=client.id, text=text)

    assert refusal.value.field == "text"


async def test_a_client_has_a_limited_number_of_persisted_queries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(persisted_queries, "MAX_PERSISTED_QUERIES", 1)
    province, client = (
        await create_officer_of("province"),
        await create_client(await create_organisation()),
    )
    await perform(register_persisted_query, province, id=client.id, text=TEXT)

    with pytest.raises(Malformed):
        await perform(register_persisted_query, province, id=client.id, text="{ __typename }")
    await perform(retire_persisted_query, province, id=client.id, sha256=HASH)
    await perform(register_persisted_query, province, id=client.id, text="{ __typename }")


async def test_no_hash_belongs_to_another_text(owner: asyncpg.Connection) -> None:
    client = await create_client(await create_organisation())
    insert = "INSERT INTO persisted_query VALUES ($1, $2, $3, now())"

    with pytest.raises(asyncpg.CheckViolationError) as refusal:
        await owner.execute(insert, client.id, HASH, "{ __typename }")
    await owner.execute(insert, client.id, HASH, TEXT)
    with pytest.raises(asyncpg.PostgresError):
        await owner.execute("UPDATE persisted_query SET text = '{ x }'")

    assert refusal.value.constraint_name == "persisted_query_hash"


async def test_caches_of_persisted_queries_are_notified_of_a_change(
    owner: asyncpg.Connection,
) -> None:
    client = await create_client(await create_organisation())
    epoch = "SELECT to_jsonb(access_epoch) FROM access_epoch"
    before = await owner.fetchval(epoch)

    await owner.execute(
        "INSERT INTO persisted_query VALUES ($1, $2, $3, now())", client.id, HASH, TEXT
    )

    assert await owner.fetchval(epoch) != before
