"""Authentication: the access token (RFC 9068) and the appointment header.

Permissions are elsewhere: the database maps subject to person and appointment to role.
"""

import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from joserfc import jws, jwt
from joserfc.errors import JoseError
from starlette.datastructures import Headers

from registry.access.principals import NIL, Principal
from registry.kernel.errors import Malformed
from registry.kernel.slru_cache import SegmentedLRUCache
from registry.kernel.texts import is_clean_line
from registry.kernel.uuids import parse_uuid
from schema.framework.global_ids import parse_id_of_kind
from server.auth.jwks import KeySource, SigningKey
from server.settings import Settings

ALGORITHMS = ("ES256", "ES384", "ES512", "EdDSA", "Ed25519", "RS256", "PS256", "RS384", "PS384")
"""Asymmetric algorithms only: with a shared secret every verifier could also sign."""

TOKEN_TYPES = frozenset({"at+jwt", "application/at+jwt"})
APPOINTMENT_HEADER = "Biandan-Appointment"
LEEWAY_SECONDS = 10
NAME_LENGTH_MAX = 200
SCOPES_MAX = 200
NUMERIC_DATE_MAX = 1 << 40
CACHED_BYTES_MEAN_MAX = 3_072
"""Maximum weight of all cached tokens with their claims."""

SCOPE_OVERHEAD_BYTES = 100
"""Weight of a scope beside its token."""

APPOINTMENTS_PER_TOKEN_MAX = 2
"""Maximum number of cached principals of one token."""

APPOINTMENT_OVERHEAD_BYTES = 400
"""Weight of one of them."""

HeaderMap = Mapping[bytes, bytes]
"""Headers by their names in lower case."""

RawHeaders = list[tuple[bytes, bytes]]
"""Headers as they came, their names in lower case."""

_PUBLIC = Principal()
_APPOINTMENT_HEADER = APPOINTMENT_HEADER.lower().encode()

AUTH_HEADERS = frozenset({b"authorization", _APPOINTMENT_HEADER})
"""The headers that say who asks."""

_SCOPE = re.compile(r"[A-Z][A-Za-z]*:[a-z][a-z_]*")
_Claim = TypeVar("_Claim", str, int)


class InvalidToken(Exception):
    """The sign-in of the request does not hold; the message, for the sender, names no secret."""


class InvalidAppointmentHeader(Exception):
    """The header that names the appointment is not one identifier in its forms."""


@dataclass(frozen=True, slots=True)
class _VerifiedToken:
    """A verified token, without checks that depend on the time."""

    principal: Principal  # Of whom no appointment is known yet.
    kid: str  # The name of the key that signed it.
    key: SigningKey  # That key, as it was then.
    # Real time, in seconds since 1970, before which it does not hold; leeway counted in.
    not_before: float
    expires_at: float  # From this second on it does not hold.
    # The same person in each appointment that was named lately.
    appointments: dict[bytes, Principal] = field(default_factory=dict, compare=False)

    def with_appointment(self, appointment: bytes) -> Principal | None:
        """The caller in the appointment that a header names; None where it is malformed."""
        found = self.appointments.get(appointment)
        if found is None:
            named = _parse_appointment(appointment.decode("latin-1"))
            if named is None:
                return None
            if len(self.appointments) >= APPOINTMENTS_PER_TOKEN_MAX:
                self.appointments.clear()
            found = self.appointments[appointment] = _with_appointment(self.principal, named)
        return found


class TokenAuthenticator:
    """Authenticates the headers of a request.

    Only verified tokens are cached, in a segmented LRU: a flood of invalid tokens evicts nothing.
    A cached token is valid within its times and while the issuer publishes its key: it is verified
    again after each fetch of the keys.

    Args:
        settings: issuer, audience, the longest token, and the size of the token cache.
        keys: the issuer's public keys.
        clock: real time in seconds since 1970; tokens do not follow the registry's clock.

    """

    def __init__(
        self, settings: Settings, keys: KeySource, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.clock = clock
        self._settings = settings
        self._keys = keys
        most = settings.token_cache_size
        self._cache: SegmentedLRUCache[bytes, _VerifiedToken] = SegmentedLRUCache(
            most, most * CACHED_BYTES_MEAN_MAX, name="tokens"
        )

    def cached(self, headers: HeaderMap) -> Principal | None:
        """The caller where nothing is left to verify; else None, and ``authenticate`` is asked."""
        authorization, appointment = headers.get(b"authorization"), headers.get(_APPOINTMENT_HEADER)
        if authorization is None:
            return _PUBLIC if appointment is None else None
        found = self._cache_lookup(authorization)
        if found is None:
            return None
        return found.principal if appointment is None else found.with_appointment(appointment)

    async def authenticate(self, raw: RawHeaders) -> Principal:
        """The caller of a request; the public where it carries no token.

        Raises:
            InvalidToken: there is a token and it does not hold, or an appointment without one.
            InvalidAppointmentHeader: the header that names the appointment is malformed.

        """
        head = single_headers(raw, AUTH_HEADERS)
        known = self.cached(head) if head is not None else None
        if known is not None:
            return known
        headers = Headers(raw=raw)
        appointment = requested_appointment(headers)
        token = bearer_token(headers)
        if token is None:
            raise InvalidToken("an appointment is named without a sign-in")
        signed_in = await self._verify(token, headers["authorization"].encode("latin-1"))
        return signed_in if appointment == NIL else _with_appointment(signed_in, appointment)

    def _cache_lookup(self, authorization: bytes) -> _VerifiedToken | None:
        """The cached verification of a header's token, if it is still valid."""
        found = self._cache.get(authorization)
        if found is None:
            return None
        if (
            found.not_before <= self.clock() < found.expires_at
            and self._keys.cached(found.kid) is found.key
        ):
            return found
        self._cache.discard(authorization)
        return None

    async def _verify(self, token: str, authorization: bytes) -> Principal:
        """The principal of a token; a valid one is cached by its header."""
        if len(token) > self._settings.token_bytes_max:
            raise InvalidToken("the token is too long")
        kid = str(_header(token)["kid"])
        key = await self._keys.find(kid)
        if key is None:
            raise InvalidToken("the token names a key that the issuer does not publish")
        claims = self._claims(token, key)
        subject = _required(claims, "sub", str)
        client = _required(claims, "client_id", str)
        # A program that acts for itself is its own subject, and no person (RFC 9068, 5).
        person = "" if subject == client else subject
        caller = Principal(person, client=client, scopes=_scopes(claims.get("scope")))
        begins = max(claims["iat"], claims.get("nbf", 0)) - LEEWAY_SECONDS
        verified = _VerifiedToken(caller, kid, key, begins, claims["exp"])
        acting = APPOINTMENTS_PER_TOKEN_MAX * APPOINTMENT_OVERHEAD_BYTES
        weight = len(authorization) + acting + SCOPE_OVERHEAD_BYTES * len(caller.scopes or ())
        self._cache.put(authorization, verified, weight)
        return caller

    def _claims(self, token: str, key: SigningKey) -> Mapping[str, Any]:
        try:
            claims = jwt.decode(token, key, algorithms=list(ALGORITHMS)).claims
        except (JoseError, ValueError, TypeError, RecursionError):
            raise InvalidToken("the signature does not hold") from None
        self._check_claims(claims)
        return claims

    def _check_claims(self, claims: Mapping[str, Any]) -> None:
        """The claims of RFC 9068, each present and of its type; none is presumed."""
        now = self.clock()
        if claims.get("iss") != self._settings.issuer:
            raise InvalidToken("the token is from another issuer")
        if self._settings.audience not in _audiences(claims.get("aud")):
            raise InvalidToken("the token is for another audience")
        _required(claims, "jti", str)
        if _required(claims, "exp", int) <= now:
            raise InvalidToken("the token has expired")
        if _required(claims, "iat", int) > now + LEEWAY_SECONDS:
            raise InvalidToken("the token was issued in the future")
        if "nbf" in claims and _required(claims, "nbf", int) > now + LEEWAY_SECONDS:
            raise InvalidToken("the token is not valid yet")


def single_headers(raw: RawHeaders, names: Collection[bytes]) -> HeaderMap | None:
    """The headers by name; None if one of the names occurs twice."""
    found = dict(raw)
    if len(found) == len(raw):
        return found
    said = [name for name, _ in raw]
    return None if any(said.count(name) > 1 for name in names) else found


def bearer_token(headers: Headers) -> str | None:
    """The token of the request, or None where it carries no sign-in at all."""
    given = headers.getlist("authorization")
    if not given:
        return None
    scheme, _, token = given[0].partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer" or not token or not token.isascii():
        raise InvalidToken("exactly one bearer token is expected")
    return token


def requested_appointment(headers: Headers) -> UUID:
    """The appointment that the request names; NIL when it names none."""
    given = headers.getlist(APPOINTMENT_HEADER)
    if not given:
        return NIL
    named = _parse_appointment(given[0])
    if len(given) > 1 or named is None:
        raise InvalidAppointmentHeader(
            f"{APPOINTMENT_HEADER} must be one identifier of an appointment, or its UUID."
        )
    return named


def _parse_appointment(text: str) -> UUID | None:
    """The appointment that a header's value names; None where it is not in the one form."""
    named = parse_uuid(text)
    if named is None:
        try:
            named = parse_id_of_kind("Appointment", text)
        except Malformed:
            return None
    return None if named == NIL else named


def _with_appointment(caller: Principal, appointment: UUID) -> Principal:
    return Principal(caller.subject, appointment, caller.client, caller.scopes)


def _header(token: str) -> Mapping[str, Any]:
    """The token's own header, believed in nothing but the name of the key."""
    try:
        header = jws.extract_compact(token.encode()).protected
    except (JoseError, ValueError, TypeError, RecursionError):
        raise InvalidToken("this is not a signed token") from None
    if str(header.get("typ", "")).lower() not in TOKEN_TYPES:
        raise InvalidToken("the token is not an access token (at+jwt)")
    if header.get("alg") not in ALGORITHMS:
        raise InvalidToken("the token's algorithm is not accepted")
    if "crit" in header or "b64" in header:
        raise InvalidToken("the token asks for an extension that is not known here")
    kid = header.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= NAME_LENGTH_MAX:
        raise InvalidToken("the token does not name its key")
    return header


def _required(claims: Mapping[str, Any], name: str, kind: type[_Claim]) -> _Claim:
    value = claims.get(name)
    if type(value) is not kind:
        raise InvalidToken(f"the claim {name} is missing or of another type")
    if isinstance(value, str) and not (0 < len(value) <= NAME_LENGTH_MAX and is_clean_line(value)):
        raise InvalidToken(f"the claim {name} is empty, too long or unprintable")
    if isinstance(value, int) and not 0 <= value < NUMERIC_DATE_MAX:
        raise InvalidToken(f"the claim {name} is no time")
    return value


def _audiences(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, list) else (value,)


def _scopes(value: object) -> frozenset[str] | None:
    """The ``Kind:verb`` words of the scope; None only where the token carries no scope at all."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidToken("the claim scope is of another type")
    words = value.split()
    if len(words) > SCOPES_MAX:
        raise InvalidToken("the claim scope is too long")
    return frozenset(word for word in words if _SCOPE.fullmatch(word))
