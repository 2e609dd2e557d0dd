"""Global identifiers: one opaque text for each object, checked when it comes back."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

import strawberry

from registry.kernel.errors import Malformed

ID_LENGTH_MAX = 200


def to_global_id(kind: str, id: UUID) -> strawberry.ID:
    """The identifier of an object in the API."""
    return strawberry.ID(urlsafe_b64encode(f"{kind}:{id}".encode()).rstrip(b"=").decode())


def parse_global_id(text: str, *, field: str = "id") -> tuple[str, UUID]:
    """Decode an identifier into kind and key."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        kind, _, key = urlsafe_b64decode(padded[:ID_LENGTH_MAX]).decode("ascii").partition(":")
        parsed = kind, UUID(key)
    except (ValueError, binascii.Error):
        raise _malformed(field) from None
    if to_global_id(*parsed) != text:
        raise _malformed(field)
    return parsed


def parse_id_of_kind(kind: str, text: str, *, field: str = "id") -> UUID:
    """The key of an object of the given kind."""
    found, key = parse_global_id(text, field=field)
    if found != kind:
        raise Malformed(
            field,
            f"{field} must name {_with_article(kind)}, not {_with_article(found)}.",
            f"{field}所指对象类型不正确。",
        )
    return key


def _with_article(kind: str) -> str:
    return f"{'an' if kind[0] in 'AEIOU' else 'a'} {kind}"


def _malformed(field: str) -> Malformed:
    return Malformed(
        field, f"{field} is not an identifier of this registry.", f"{field}不是本系统的标识。"
    )
