"""Attacks on the access token, and what a good one yields."""

import base64
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from starlette.datastructures import Headers

from registry.access.principals import NIL, Principal
from server.auth.authenticator import (
    InvalidAppointmentHeader,
    InvalidToken,
    RawHeaders,
    TokenAuthenticator,
)
from server.auth.jwks import JwksCache, jwks_from_file, signing_keys, static_keys
from server.settings import Settings

NOW = 1_800_000_000
ISSUER = "https://issuer.example"
KEY = ECKey.generate_key("P-256", {"kid": "one", "use": "sig"})
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
PUBLISHED = {"keys": [KEY.as_dict(private=False), RSA.as_dict(private=False)]}
SETTINGS = Settings(issuer=ISSUER, audience="biandan")
APPOINTMENT = "6f1c2a34-58b1-4c7e-9d55-0d0c4f9d2b11"


def make_authenticator(published: Mapping[str, Any] = PUBLISHED) -> TokenAuthenticator:
    return TokenAuthenticator(SETTINGS, static_keys(published), clock=lambda: NOW)


def claims(**changed: object) -> dict[str, Any]:
    good = {
        "iss": ISSUER,
        "aud": "biandan",
        "sub": "wang",
        "client_id": "console",
        "iat": NOW - 5,
        "exp": NOW + 300,
        "jti": "1",
    }
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def token(
    header: Mapping[str, Any] | None = None, key: ECKey | RSAKey = KEY, **changed: object
) -> str:
    full = {"typ": "at+jwt", "alg": "ES256", "kid": "one", **(header or {})}
    chosen = {name: value for name, value in full.items() if value is not None}
    return jwt.encode(chosen, claims(**changed), key, algorithms=[chosen["alg"]])


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def bearer_headers(value: str, **more: str) -> RawHeaders:
    return Headers({"authorization": f"Bearer {value}", **more}).raw


async def test_no_token_is_the_public() -> None:
    assert await make_authenticator().authenticate([]) == Principal()


async def test_a_good_token_names_person_client_and_appointment() -> None:
    caller = await make_authenticator().authenticate(
        bearer_headers(token(), **{"biandan-appointment": APPOINTMENT})
    )

    assert caller == Principal(subject="wang", client="console", appointment_id=UUID(APPOINTMENT))


async def test_a_client_for_itself_is_no_person() -> None:
    caller = await make_authenticator().authenticate(
        bearer_headers(token(sub="portal", client_id="portal"))
    )

    assert (caller.subject, caller.client) == ("", "portal")


async def test_a_scope_claim_limits_even_when_it_grants_nothing() -> None:
    some = await make_authenticator().authenticate(
        bearer_headers(token(scope="openid Transfer:offer Transfer:view_price"))
    )
    none = await make_authenticator().authenticate(bearer_headers(token(scope="")))
    unlimited = await make_authenticator().authenticate(bearer_headers(token()))

    assert some.scopes == frozenset({"Transfer:offer", "Transfer:view_price"})
    assert none.scopes == frozenset()
    assert unlimited.scopes is None


async def test_a_token_signed_with_rsa_is_valid() -> None:
    caller = await make_authenticator().authenticate(
        bearer_headers(token({"alg": "RS256", "kid": "rsa"}, RSA))
    )

    assert caller.subject == "wang"


async def test_an_unsigned_token_is_invalid() -> None:
    forged = f"{part({'typ': 'at+jwt', 'alg': 'none', 'kid': 'one'})}.{part(claims())}."

    with pytest.raises(InvalidToken, match="algorithm"):
        await make_authenticator().authenticate(bearer_headers(forged))


@pytest.mark.parametrize("secret", [KEY.as_pem(private=False), RSA.as_pem(private=False)])
async def test_a_public_key_used_as_a_secret_is_invalid(secret: bytes) -> None:
    signed = jwt.encode(
        {"typ": "at+jwt", "alg": "HS256", "kid": "rsa"},
        claims(),
        OctKey.import_key(base64.b64encode(secret)),
        algorithms=["HS256"],
    )

    with pytest.raises(InvalidToken, match="algorithm"):
        await make_authenticator().authenticate(bearer_headers(signed))


async def test_a_secret_in_the_key_set_checks_nothing() -> None:
    secret = OctKey.generate_key(256, {"kid": "one"})

    assert signing_keys({"keys": [secret.as_dict()]}) == {}


async def test_the_algorithm_must_fit_the_key() -> None:
    signed = token({"alg": "RS256", "kid": "one"}, RSA)

    with pytest.raises(InvalidToken, match="signature"):
        await make_authenticator().authenticate(bearer_headers(signed))


async def test_a_key_inside_the_token_is_not_believed() -> None:
    mine = ECKey.generate_key("P-256", {"kid": "one"})
    signed = token({"jwk": mine.as_dict(private=False)}, mine)

    with pytest.raises(InvalidToken):
        await make_authenticator().authenticate(bearer_headers(signed))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"iss": "https://other.example"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"aud": "other"}, "audience"),
        ({"aud": ["other", "another"]}, "audience"),
        ({"aud": "biandan2"}, "audience"),
        ({"aud": None}, "audience"),
        ({"exp": NOW}, "expired"),
        ({"exp": None}, "exp"),
        ({"exp": "later"}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": 1e300}, "exp"),
        ({"exp": 1 << 60}, "exp"),
        ({"iat": NOW + 60}, "future"),
        ({"iat": None}, "iat"),
        ({"nbf": NOW + 60}, "not valid yet"),
        ({"sub": None}, "sub"),
        ({"sub": ""}, "sub"),
        ({"sub": 7}, "sub"),
        ({"sub": "a\u0000b"}, "sub"),
        ({"sub": "x" * 201}, "sub"),
        ({"client_id": None}, "client_id"),
        ({"jti": None}, "jti"),
        ({"scope": ["Transfer:offer"]}, "scope"),
    ],
)
async def test_every_claim_must_be_present_and_valid(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidToken, match=said):
        await make_authenticator().authenticate(bearer_headers(token(**changed)))


async def test_one_audience_of_several_suffices() -> None:
    assert (
        await make_authenticator().authenticate(bearer_headers(token(aud=["other", "biandan"])))
    ).subject == "wang"


@pytest.mark.parametrize("kind", [None, "JWT", "id_token+jwt", "logout+jwt"])
async def test_other_types_of_token_are_invalid(kind: str | None) -> None:
    with pytest.raises(InvalidToken, match="access token"):
        await make_authenticator().authenticate(bearer_headers(token({"typ": kind})))


async def test_unknown_and_missing_key_ids_are_invalid() -> None:
    with pytest.raises(InvalidToken, match="does not publish"):
        await make_authenticator().authenticate(bearer_headers(token({"kid": "two"})))
    with pytest.raises(InvalidToken, match="name its key"):
        await make_authenticator().authenticate(bearer_headers(token({"kid": None})))


async def test_an_oversized_token_is_not_even_read() -> None:
    with pytest.raises(InvalidToken, match="too long"):
        await make_authenticator().authenticate(
            bearer_headers("a" * (SETTINGS.token_bytes_max + 1))
        )


async def test_a_changed_payload_is_invalid() -> None:
    head, _, signature = token().split(".")

    with pytest.raises(InvalidToken, match="signature"):
        await make_authenticator().authenticate(
            bearer_headers(f"{head}.{part(claims(sub='li'))}.{signature}")
        )


@pytest.mark.parametrize("value", ["Basic d2FuZzp3YW5n", "Bearer", "Bearer ", "Bearer \u00e9", "x"])
async def test_other_sign_ins_do_not_pass_as_public(value: str) -> None:
    with pytest.raises(InvalidToken):
        await make_authenticator().authenticate([(b"authorization", value.encode("latin-1"))])


async def test_two_tokens_are_invalid() -> None:
    one = f"Bearer {token()}".encode()

    with pytest.raises(InvalidToken):
        await make_authenticator().authenticate([(b"authorization", one), (b"authorization", one)])


@pytest.mark.parametrize("value", ["", "x", APPOINTMENT.upper(), f"{{{APPOINTMENT}}}", str(NIL)])
async def test_an_appointment_has_one_form(value: str) -> None:
    with pytest.raises(InvalidAppointmentHeader):
        await make_authenticator().authenticate(
            bearer_headers(token(), **{"biandan-appointment": value})
        )


async def test_an_appointment_without_a_token_is_no_public_request() -> None:
    with pytest.raises(InvalidToken):
        await make_authenticator().authenticate(Headers({"biandan-appointment": APPOINTMENT}).raw)


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
async def test_no_text_is_taken_for_a_token(text: str) -> None:
    with pytest.raises(InvalidToken):
        await make_authenticator().authenticate(bearer_headers(text))


async def test_unknown_names_do_not_make_the_issuer_answer_more_than_once_in_thirty_seconds() -> (
    None
):
    now, fetched = [0.0], []

    async def fetch() -> Mapping[str, Any]:
        fetched.append(now[0])
        return PUBLISHED

    keys = JwksCache(fetch, clock=lambda: now[0])
    for second in range(100):
        now[0] = float(second)
        await keys.find(f"unknown-{second}")

    assert fetched == [0.0, 31.0, 62.0, 93.0]
    assert await keys.find("one") is not None


async def test_a_new_key_is_found_and_a_withdrawn_one_is_gone() -> None:
    now, published = [0.0], [PUBLISHED]

    async def fetch() -> Mapping[str, Any]:
        return published[0]

    keys = JwksCache(fetch, clock=lambda: now[0])
    assert await keys.find("one") is not None
    published[0] = {"keys": [RSA.as_dict(private=False) | {"kid": "new"}]}
    now[0] = 31.0

    assert await keys.find("new") is not None
    assert await keys.find("one") is None


async def test_an_issuer_that_fails_leaves_the_cached_keys_in_use(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(PUBLISHED))
    now = [0.0]
    keys = jwks_from_file(path)
    keys._clock = lambda: now[0]
    assert await keys.find("one") is not None

    path.write_text("<html>")
    now[0] = 1_000.0

    assert await keys.find("one") is not None


@pytest.mark.filterwarnings("ignore:Key size")
def test_short_and_encrypting_keys_are_left_out_and_spoil_no_other() -> None:
    short = RSAKey.generate_key(1024, {"kid": "short"})
    other = KEY.as_dict(private=False) | {"use": "enc", "kid": "enc"}
    broken = {"kty": "EC", "crv": "P-256", "x": "?", "y": "?", "kid": "broken"}

    listed = [short.as_dict(private=False), other, broken, 3, KEY.as_dict(private=False)]

    assert set(signing_keys({"keys": listed})) == {"one"}


def test_tokens_follow_real_time() -> None:
    assert TokenAuthenticator(SETTINGS, static_keys(PUBLISHED)).clock is time.time
