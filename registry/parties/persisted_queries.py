"""Registered documents of client programs: sent by their hash, and by some programs alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256 as hashed
from uuid import UUID

from policies.vocabulary import Text
from registry.commands.command import Work, operation
from registry.db.named_params import storable
from registry.db.session import execute, looking, row, rows
from registry.kernel.errors import Condition, Malformed, required
from registry.kernel.identifiers import check_sha256
from registry.parties.facts import CLIENT
from registry.parties.records import Client
from registry.parties.rules import DOCUMENT_BYTES_MAX, DOCUMENTS_MAX

_LIVE = """
    SELECT count(*) AS number FROM client_document WHERE client_id = $1 AND retired_at IS NULL
"""
_AGAIN = """
    UPDATE client_document SET registered_at = $3, retired_at = NULL
    WHERE client_id = $1 AND sha256 = $2 AND retired_at IS NOT NULL
"""
_NEW = """
    INSERT INTO client_document (client_id, sha256, text, registered_at) VALUES ($1, $2, $4, $3)
"""
_RETIRED = """
    UPDATE client_document SET retired_at = $3
    WHERE client_id = $1 AND sha256 = $2 AND retired_at IS NULL
"""
_IS_LIVE = """
    SELECT 1 FROM client_document WHERE client_id = $1 AND sha256 = $2 AND retired_at IS NULL
"""
_OF = """
    SELECT asked.client_id, asked.most, found.*
    FROM unnest($1::uuid[], $2::int[]) AS asked (client_id, most), LATERAL (
        SELECT sha256, octet_length(text) AS bytes, registered_at, retired_at
        FROM client_document WHERE client_id = asked.client_id
        ORDER BY registered_at DESC, sha256 LIMIT asked.most
    ) AS found
    ORDER BY found.registered_at DESC, found.sha256
"""
_SENT = """
    SELECT c.registered_only, d.text
    FROM client c LEFT JOIN client_document d
        ON d.client_id = c.id AND d.sha256 = $2 AND d.retired_at IS NULL
    WHERE c.name = $1
"""


@operation(CLIENT, "register_document")
async def register_document(work: Work, client: Client, *, text: str) -> Client:
    """Let the program send this document by its hash: the SHA-256 of exactly this text.

    Raises:
        Malformed: longer than ``DOCUMENT_BYTES_MAX``, or ``DOCUMENTS_MAX`` are registered already.
        Duplicate: it is registered.

    Rule: registry rule; rule book C-20, C-21.

    """
    _check(text)
    live = await row(_LIVE, client.id)
    if live is None or live["number"] >= DOCUMENTS_MAX:
        raise Malformed(
            "text",
            f"A client has at most {DOCUMENTS_MAX} registered documents; retire one.",
            f"一个应用最多登记{DOCUMENTS_MAX}份查询文档,请先停用其一。",
        )
    hash = hash_of(text)
    if not await execute(_AGAIN, client.id, hash, work.now):
        await execute(_NEW, client.id, hash, work.now, text)
    return client


async def _registered(_work: Work, client: Client, *, sha256: str, **_: object) -> list[Condition]:
    live = await row(_IS_LIVE, client.id, check_sha256(sha256, "sha256"))
    return [
        required(
            name="document_registered",
            met=live is not None,
            unmet=Text(
                "The program has no registered document of this hash.",
                "该应用未登记此摘要对应的查询文档。",
            ),
            ground="registry rule",
        )
    ]


@operation(CLIENT, "retire_document", weigh=(_registered,))
async def retire_document(work: Work, client: Client, *, sha256: str) -> Client:
    """No longer answer the program's requests that send this hash.

    Raises:
        Malformed: it is no SHA-256.
        ConditionsUnmet: the program has no such document.

    Rule: registry rule; rule book C-22, C-23.

    """
    await execute(_RETIRED, client.id, check_sha256(sha256, "sha256"), work.now)
    return client


@operation(CLIENT, "confine")
async def confine_client(_work: Work, client: Client, *, registered_only: bool) -> Client:
    """Take from a program nothing but its registered documents, or let it send any again.

    Rule: registry rule; rule book C-24, C-25.

    """
    client.registered_only = registered_only
    return client


@dataclass(frozen=True, slots=True)
class Sent:
    """What the registry knows of a program that sends a hash.

    Attributes:
        registered_only: it may send nothing but registered documents.
        text: of its document with this hash; None where it has none.

    """

    registered_only: bool = False
    text: str | None = None


async def sent_by(client: str, sha256: str) -> Sent:
    """What a program's hash stands for now; ``sha256`` may be empty where none was sent."""
    async with looking():
        found = await row(_SENT, client, sha256)
    return Sent() if found is None else Sent(found["registered_only"], found["text"])


@dataclass(frozen=True, slots=True)
class Registered:
    """A document as lists show it: without its text."""

    sha256: str
    bytes: int
    registered_at: datetime
    retired_at: datetime | None


async def documents_of(
    asked: Sequence[tuple[UUID, int]],
) -> dict[tuple[UUID, int], list[Registered]]:
    """The documents of each program, the newest first, at most so many, by what was asked."""
    found = await rows(_OF, [id for id, _ in asked], [most for _, most in asked])
    documents: dict[tuple[UUID, int], list[Registered]] = {key: [] for key in asked}
    for line in found:
        key = line.pop("client_id"), line.pop("most")
        documents[key].append(Registered(**line))
    return documents


def hash_of(text: str) -> str:
    """The name under which a document is sent."""
    return hashed(text.encode()).hexdigest()


def _check(text: str) -> None:
    if not storable(text) or not 1 <= len(text.encode()) <= DOCUMENT_BYTES_MAX:
        raise Malformed(
            "text",
            f"A document has 1 to {DOCUMENT_BYTES_MAX} bytes.",
            f"查询文档长度为1至{DOCUMENT_BYTES_MAX}字节。",
        )
