"""Who sends a request: the access token (RFC 9068) and the appointment named beside it.

What the person may do is not here: the database maps subject to person and appointment to role.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from joserfc import jws, jwt
from joserfc.errors import JoseError
from starlette.datastructures import Headers

from registry.viewer import NIL, Caller
from server.settings import Settings
from server.signing_keys import Keys

ALGORITHMS = ("ES256", "ES384", "ES512", "EdDSA", "Ed25519", "RS256", "PS256", "RS384", "PS384")
"""Asymmetric ones only: with a shared secret, whoever checks a token could also make one."""

TYPES = frozenset({"at+jwt", "application/at+jwt"})
APPOINTMENT = "Biandan-Appointment"
LEEWAY_SECONDS = 10
NAME_LENGTH_MAX = 200
SCOPES_MAX = 200
NUMERIC_DATE_MAX = 1 << 40

_SCOPE = re.compile(r"[A-Z][A-Za-z]*:[a-z][a-z_]*")
_Claim = TypeVar("_Claim", str, int)


class BadToken(Exception):
    """The sign-in of the request does not hold; the message, for the sender, names no secret."""


class BadAppointment(Exception):
    """The header that names the appointment is not one identifier in its one form."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """Turns the headers of a request into its caller.

    Attributes:
        settings: issuer, audience and the longest token.
        keys: the issuer's public keys.
        clock: real time in seconds since 1970; tokens do not follow the registry's clock.

    """

    settings: Settings
    keys: Keys
    clock: Callable[[], float] = time.time

    async def caller(self, headers: Headers) -> Caller:
        """The caller of a request; the public where it carries no token.

        Raises:
            BadToken: there is a token and it does not hold, or an appointment without one.
            BadAppointment: the header that names the appointment is malformed.

        """
        appointment = named_appointment(headers)
        token = bearer(headers)
        if token is None:
            if appointment != NIL:
                raise BadToken("an appointment is named but nobody is signed in")
            return Caller()
        claims = await self._verified(token)
        subject = _required(claims, "sub", str)
        client = _required(claims, "client_id", str)
        return Caller(
            # A program that acts for itself is its own subject, and no person (RFC 9068, 5).
            subject="" if subject == client else subject,
            appointment=appointment,
            client=client,
            scopes=_scopes(claims.get("scope")),
        )

    async def _verified(self, token: str) -> Mapping[str, Any]:
        if len(token) > self.settings.token_bytes_max:
            raise BadToken("the token is too long")
        header = _header(token)
        key = await self.keys.find(header["kid"])
        if key is None:
            raise BadToken("the token names a key that the issuer does not publish")
        try:
            claims = jwt.decode(token, key, algorithms=list(ALGORITHMS)).claims
        except (JoseError, ValueError, TypeError):
            raise BadToken("the signature does not hold") from None
        self._check(claims)
        return claims

    def _check(self, claims: Mapping[str, Any]) -> None:
        """The claims of RFC 9068, each present and of its type; none is presumed."""
        now = self.clock()
        if claims.get("iss") != self.settings.issuer:
            raise BadToken("the token is from another issuer")
        if self.settings.audience not in _audiences(claims.get("aud")):
            raise BadToken("the token is for another audience")
        _required(claims, "jti", str)
        if _required(claims, "exp", int) <= now:
            raise BadToken("the token has expired")
        if _required(claims, "iat", int) > now + LEEWAY_SECONDS:
            raise BadToken("the token was issued in the future")
        if "nbf" in claims and _required(claims, "nbf", int) > now + LEEWAY_SECONDS:
            raise BadToken("the token is not valid yet")


def bearer(headers: Headers) -> str | None:
    """The token of the request, or None where it carries no sign-in at all.

    Raises:
        BadToken: there are two, or it is not a bearer token.

    """
    given = headers.getlist("authorization")
    if not given:
        return None
    scheme, _, token = given[0].partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer" or not token or not token.isascii():
        raise BadToken("exactly one bearer token is expected")
    return token


def named_appointment(headers: Headers) -> UUID:
    """The appointment that the request names; NIL when it names none.

    Raises:
        BadAppointment: there are two, or it is not a UUID in lower case with hyphens.

    """
    given = headers.getlist(APPOINTMENT)
    if not given:
        return NIL
    try:
        named = UUID(given[0])
    except ValueError:
        raise BadAppointment(f"{APPOINTMENT} must be a UUID.") from None
    if len(given) > 1 or str(named) != given[0] or named == NIL:
        raise BadAppointment(f"{APPOINTMENT} must be one UUID in lower case with hyphens.")
    return named


def _header(token: str) -> Mapping[str, Any]:
    """The token's own header, believed in nothing but the name of the key."""
    try:
        header = jws.extract_compact(token.encode()).protected
    except (JoseError, ValueError, TypeError, RecursionError):
        raise BadToken("this is not a signed token") from None
    if str(header.get("typ", "")).lower() not in TYPES:
        raise BadToken("the token is not an access token (at+jwt)")
    if header.get("alg") not in ALGORITHMS:
        raise BadToken("the token's algorithm is not accepted")
    if "crit" in header or "b64" in header:
        raise BadToken("the token asks for an extension that is not known here")
    kid = header.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= NAME_LENGTH_MAX:
        raise BadToken("the token does not name its key")
    return header


def _required(claims: Mapping[str, Any], name: str, kind: type[_Claim]) -> _Claim:
    value = claims.get(name)
    if type(value) is not kind:
        raise BadToken(f"the claim {name} is missing or of another type")
    if isinstance(value, str) and not (0 < len(value) <= NAME_LENGTH_MAX and value.isprintable()):
        raise BadToken(f"the claim {name} is empty, too long or unprintable")
    if isinstance(value, int) and not 0 <= value < NUMERIC_DATE_MAX:
        raise BadToken(f"the claim {name} is no time")
    return value


def _audiences(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, list) else (value,)


def _scopes(value: object) -> frozenset[str] | None:
    """The ``Kind:verb`` words of the scope; None only where the token carries no scope at all."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadToken("the claim scope is of another type")
    words = value.split()
    if len(words) > SCOPES_MAX:
        raise BadToken("the claim scope is too long")
    return frozenset(word for word in words if _SCOPE.fullmatch(word))
