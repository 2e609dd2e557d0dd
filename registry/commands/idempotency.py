"""Idempotency keys: a key is bound to one command with one input, and to its audit entry."""

from dataclasses import dataclass
from uuid import UUID

from registry.access.principals import Viewer
from registry.db.named_params import compile_named, is_storable_text
from registry.db.session import execute, fetch_one
from registry.kernel.errors import KeyReused, Malformed

KEY_LENGTH_MAX = 200

CLAIM_SQL = """INSERT INTO idempotency_key
    (organisation_id, person_id, client, key, hash, audit_entry_id)
    VALUES (:organisation, :person, :key_client, :key, :digest, :audit_entry_id)
    ON CONFLICT DO NOTHING"""
"""Binds a key; no row where it is bound already. Waits for a command that is not yet decided."""


@dataclass(frozen=True, slots=True)
class KeyClaim:
    """A key as its sender wants it bound."""

    viewer: Viewer
    key: str  # 1 to ``KEY_LENGTH_MAX`` characters; each sender has keys of its own.
    digest: str  # Of the command and its input.
    audit_entry_id: UUID  # Of the entry that the command will write.

    def bind_values(self) -> dict[str, object]:
        return {
            "organisation": self.viewer.organisation,
            "person": self.viewer.person,
            "key_client": self.viewer.client or self.viewer.role,
            "key": self.key,
            "digest": self.digest,
            "audit_entry_id": self.audit_entry_id,
        }


def check_key(key: str) -> None:
    """Refuse a key that no command may carry.

    Raises:
        Malformed: it is empty, longer than ``KEY_LENGTH_MAX``, or cannot be stored.

    """
    if not (1 <= len(key) <= KEY_LENGTH_MAX and is_storable_text(key)):
        raise Malformed(
            "idempotencyKey",
            f"The idempotency key has 1 to {KEY_LENGTH_MAX} characters.",
            f"幂等键长度为1至{KEY_LENGTH_MAX}个字符。",
        )


_CLAIM_SQL, _CLAIM_NAMES = compile_named(CLAIM_SQL)


async def claim_key(claim: KeyClaim) -> bool:
    """Bind the key; whether it was free."""
    values = claim.bind_values()
    return bool(await execute(_CLAIM_SQL, *(values[name] for name in _CLAIM_NAMES)))


async def earlier_audit_entry(claim: KeyClaim) -> UUID | None:
    """The audit entry of the command that holds the key; None where the key is free.

    Raises:
        KeyReused: the key is bound to another command or other input.

    """
    values = claim.bind_values()
    found = await fetch_one(
        "SELECT hash, audit_entry_id FROM idempotency_key"
        " WHERE organisation_id = $1 AND person_id = $2 AND client = $3 AND key = $4",
        *(values[name] for name in ("organisation", "person", "key_client", "key")),
    )
    if found is None:
        return None
    if found["hash"] != claim.digest:
        raise KeyReused
    return UUID(str(found["audit_entry_id"]))
