"""Registered documents of client programs, through the frame and past it."""

from hashlib import sha256

import asyncpg
import pytest

from registry.kernel.errors import ConditionsUnmet, Duplicate, Forbidden, Malformed, NotFound
from registry.parties import persisted_queries
from registry.parties.operations import revoke_client
from registry.parties.persisted_queries import (
    Sent,
    confine_client,
    documents_of,
    hash_of,
    register_document,
    retire_document,
    sent_by,
)
from registry.parties.rules import DOCUMENT_BYTES_MAX
from tests.support.builders import (
    a_client,
    an_officer,
    an_officer_of,
    an_organisation,
    caller_of,
    perform,
)

TEXT = "query 当前身份 { viewer { role } }\n"
HASH = sha256(TEXT.encode()).hexdigest()


async def test_a_document_is_known_by_the_hash_of_exactly_its_text() -> None:
    body = await an_organisation()
    client, officer = await a_client(body), await caller_of(await an_officer(body))

    await perform(register_document, officer, id=client.id, text=TEXT)

    assert await sent_by(client.name, HASH) == Sent(registered_only=False, text=TEXT)
    assert await sent_by(client.name, hash_of(TEXT.strip())) == Sent()
    assert await sent_by("nobody", HASH) == Sent()


async def test_a_document_belongs_to_one_program() -> None:
    body = await an_organisation()
    mine, other = await a_client(body), await a_client(body)
    officer = await caller_of(await an_officer(body))

    await perform(register_document, officer, id=mine.id, text=TEXT)

    assert (await sent_by(other.name, HASH)).text is None
    await perform(register_document, officer, id=other.id, text=TEXT)
    assert (await sent_by(other.name, HASH)).text == TEXT


async def test_a_retired_document_is_not_sent_until_it_is_registered_again() -> None:
    province, client = await an_officer_of("province"), await a_client(await an_organisation())
    await perform(register_document, province, id=client.id, text=TEXT)
    with pytest.raises(Duplicate) as taken:
        await perform(register_document, province, id=client.id, text=TEXT)

    await perform(retire_document, province, id=client.id, sha256=HASH)

    assert taken.value.field == "text"
    assert (await sent_by(client.name, HASH)).text is None
    (listed,) = (await documents_of([(client.id, 9)]))[client.id, 9]
    assert (listed.sha256, listed.bytes, listed.retired_at is None) == (
        HASH,
        len(TEXT.encode()),
        False,
    )
    with pytest.raises(ConditionsUnmet):
        await perform(retire_document, province, id=client.id, sha256=HASH)
    await perform(register_document, province, id=client.id, text=TEXT)
    assert (await sent_by(client.name, HASH)).text == TEXT


async def test_a_program_is_confined_to_its_documents_and_let_loose() -> None:
    province, client = await an_officer_of("province"), await a_client(await an_organisation())

    await perform(confine_client, province, id=client.id, registered_only=True)
    confined = await sent_by(client.name, "")
    await perform(confine_client, province, id=client.id, registered_only=False)

    assert confined == Sent(registered_only=True)
    assert await sent_by(client.name, "") == Sent()


async def test_nobody_touches_the_documents_of_others_or_of_a_revoked_program() -> None:
    body = await an_organisation()
    client, province = await a_client(body), await an_officer_of("province")
    stranger = await caller_of(await an_officer(await an_organisation()))
    approver = await caller_of(await an_officer(body, may_initiate=False))

    with pytest.raises(NotFound):
        await perform(register_document, stranger, id=client.id, text=TEXT)
    with pytest.raises(Forbidden) as refusal:
        await perform(register_document, approver, id=client.id, text=TEXT)
    await perform(revoke_client, province, id=client.id)
    with pytest.raises(Forbidden):
        await perform(register_document, province, id=client.id, text=TEXT)

    assert refusal.value.rule == "N-54"


@pytest.mark.parametrize("text", ["", "a" * (DOCUMENT_BYTES_MAX + 1), "省" * 11_000, "{\0}"])
async def test_no_document_is_empty_too_long_or_unstorable(text: str) -> None:
    province, client = await an_officer_of("province"), await a_client(await an_organisation())

    with pytest.raises(Malformed) as refusal:
        await perform(register_document, province, id=client.id, text=text)

    assert refusal.value.field == "text"


async def test_a_program_has_so_many_documents_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(persisted_queries, "DOCUMENTS_MAX", 1)
    province, client = await an_officer_of("province"), await a_client(await an_organisation())
    await perform(register_document, province, id=client.id, text=TEXT)

    with pytest.raises(Malformed):
        await perform(register_document, province, id=client.id, text="{ __typename }")
    await perform(retire_document, province, id=client.id, sha256=HASH)
    await perform(register_document, province, id=client.id, text="{ __typename }")


async def test_no_hash_stands_for_another_text(owner: asyncpg.Connection) -> None:
    client = await a_client(await an_organisation())
    insert = "INSERT INTO client_document VALUES ($1, $2, $3, now())"

    with pytest.raises(asyncpg.CheckViolationError) as refusal:
        await owner.execute(insert, client.id, HASH, "{ __typename }")
    await owner.execute(insert, client.id, HASH, TEXT)
    with pytest.raises(asyncpg.PostgresError):
        await owner.execute("UPDATE client_document SET text = '{ x }'")

    assert refusal.value.constraint_name == "client_document_hash"


async def test_whoever_caches_what_programs_send_is_told_of_a_change(
    owner: asyncpg.Connection,
) -> None:
    client = await a_client(await an_organisation())
    epoch = "SELECT to_jsonb(access_epoch) FROM access_epoch"
    before = await owner.fetchval(epoch)

    await owner.execute(
        "INSERT INTO client_document VALUES ($1, $2, $3, now())", client.id, HASH, TEXT
    )

    assert await owner.fetchval(epoch) != before
