"""Registered documents of client programs: sent by their hash, and by some programs alone."""

from dataclasses import dataclass
from hashlib import sha256 as hashed
from typing import Annotated

from policies.vocabulary import Text
from registry.commands.operation import CommandContext, operation
from registry.db.named_params import is_storable_text
from registry.db.session import execute, fetch_one, short_read_only_transaction
from registry.kernel.errors import Condition, Malformed, make_requirement
from registry.kernel.identifiers import check_sha256
from registry.kernel.parameters import Parameter
from registry.parties.facts import CLIENT
from registry.parties.records import Client
from registry.parties.rules import (
    MAX_PERSISTED_QUERIES,
    MAX_PERSISTED_QUERY_BYTES,
    PersistedQueriesOnly,
)
from registry.parties.sanctions import check_officers_keep_client

_Document = Annotated[
    str,
    Parameter(
        f"The query, 1 to {MAX_PERSISTED_QUERY_BYTES} bytes, as its hash covers it 预登记请求."
    ),
]

_COUNT_ACTIVE = """
    SELECT count(*) AS number FROM persisted_query WHERE client_id = $1 AND retired_at IS NULL
"""
_REACTIVATE = """
    UPDATE persisted_query SET registered_at = $3, retired_at = NULL
    WHERE client_id = $1 AND sha256 = $2 AND retired_at IS NOT NULL
"""
_INSERT = """
    INSERT INTO persisted_query (client_id, sha256, text, registered_at) VALUES ($1, $2, $4, $3)
"""
_RETIRE = """
    UPDATE persisted_query SET retired_at = $3
    WHERE client_id = $1 AND sha256 = $2 AND retired_at IS NULL
"""
_IS_ACTIVE = """
    SELECT 1 FROM persisted_query WHERE client_id = $1 AND sha256 = $2 AND retired_at IS NULL
"""
_LOOKUP = """
    SELECT c.persisted_queries_only, d.text
    FROM client c LEFT JOIN persisted_query d
        ON d.client_id = c.id AND d.sha256 = $2 AND d.retired_at IS NULL
    WHERE c.name = $1
"""


@operation(CLIENT, "register_persisted_query")
async def register_persisted_query(
    context: CommandContext, client: Client, *, text: _Document
) -> Client:
    """Let the program send this document by its SHA-256.

    Rule: registry rule; rule book C-20, C-21.

    """
    _check_text(text)
    live = await fetch_one(_COUNT_ACTIVE, client.id)
    if live is None or live["number"] >= MAX_PERSISTED_QUERIES:
        raise Malformed(
            "text",
            f"A client has at most {MAX_PERSISTED_QUERIES} registered documents; retire one.",
            f"一个应用最多登记{MAX_PERSISTED_QUERIES}份预登记请求，请先停用其一。",
        )
    hash = sha256_of(text)
    if not await execute(_REACTIVATE, client.id, hash, context.now):
        await execute(_INSERT, client.id, hash, context.now, text)
    return client


async def _check_registered(
    _context: CommandContext, client: Client, *, sha256: str, **_: object
) -> list[Condition]:
    live = await fetch_one(_IS_ACTIVE, client.id, check_sha256(sha256, "sha256"))
    return [
        make_requirement(
            name="document_registered",
            met=live is not None,
            unmet=Text(
                "The program has no registered document of this hash.",
                "该应用未登记此摘要对应的预登记请求。",
            ),
        )
    ]


@operation(CLIENT, "retire_persisted_query", preconditions=(_check_registered,))
async def retire_persisted_query(
    context: CommandContext,
    client: Client,
    *,
    sha256: Annotated[str, Parameter("SHA-256 of its text 摘要.")],
) -> Client:
    """No longer answer requests that send this hash.

    Rule: registry rule; rule book C-22, C-23.

    """
    await execute(_RETIRE, client.id, check_sha256(sha256, "sha256"), context.now)
    return client


@operation(CLIENT, "restrict_to_persisted_queries", preconditions=(check_officers_keep_client,))
async def restrict_to_persisted_queries(
    _context: CommandContext, client: Client, *, persisted_queries_only: PersistedQueriesOnly
) -> Client:
    """Take a program's registered documents alone, or any.

    Raises:
        ConditionsUnmet: it is the last client through which officers act without restriction.

    Rule: registry rule; rule book C-24, C-25.

    """
    client.persisted_queries_only = persisted_queries_only
    return client


@dataclass(frozen=True, slots=True)
class PersistedQueryLookup:
    """The lookup of a hash that a client sent."""

    persisted_queries_only: bool = False  # It may send nothing but registered documents.
    text: str | None = None  # Of its document with this hash; None where it has none.


async def lookup_persisted_query(client: str, sha256: str) -> PersistedQueryLookup:
    """The document of a client's hash now; ``sha256`` may be empty where none was sent."""
    async with short_read_only_transaction():
        found = await fetch_one(_LOOKUP, client, sha256)
    return (
        PersistedQueryLookup()
        if found is None
        else PersistedQueryLookup(found["persisted_queries_only"], found["text"])
    )


def sha256_of(text: str) -> str:
    """The name under which a document is sent."""
    return hashed(text.encode()).hexdigest()


def _check_text(text: str) -> None:
    if not is_storable_text(text) or not 1 <= len(text.encode()) <= MAX_PERSISTED_QUERY_BYTES:
        raise Malformed(
            "text",
            f"A document has 1 to {MAX_PERSISTED_QUERY_BYTES} bytes.",
            f"预登记请求长度为1至{MAX_PERSISTED_QUERY_BYTES}字节。",
        )
