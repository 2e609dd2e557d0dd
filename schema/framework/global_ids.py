"""Global identifiers: one opaque text for each object, checked when it comes back."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

import strawberry

from registry.kernel.errors import Malformed
from registry.kernel.uuids import parse_uuid

ID_LENGTH_MAX = 200


def to_global_id(kind: str, id: UUID) -> strawberry.ID:
    """The identifier of an object in the API."""
    return strawberry.ID(urlsafe_b64encode(f"{kind}:{id}".encode()).rstrip(b"=").decode())


def parse_global_id(text: str, *, field: str = "id") -> tuple[str, UUID]:
    """Decode an identifier into kind and key."""
    try:
        encoded = text.encode("ascii")
        decoded = urlsafe_b64decode((encoded + b"=" * (-len(text) % 4))[:ID_LENGTH_MAX])
        kind, _, key = decoded.decode("ascii").partition(":")
    except ValueError:
        raise _malformed(field) from None
    # The decoder accepts several texts for the same bytes; only one of them is the identifier.
    parsed = parse_uuid(key)
    if parsed is None or urlsafe_b64encode(decoded).rstrip(b"=") != encoded:
        raise _malformed(field)
    return kind, parsed


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
