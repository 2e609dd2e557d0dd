"""A token that was verified once is known, while it holds; nothing else ever is."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from registry.access.principals import Principal
from server.auth.authenticator import (
    APPOINTMENTS_PER_TOKEN_MAX,
    AUTH_HEADERS,
    CACHED_BYTES_MEAN_MAX,
    InvalidAppointmentHeader,
    InvalidToken,
    TokenAuthenticator,
    single_headers,
)
from server.auth.jwks import (
    CACHE_TTL_SECONDS,
    REFRESH_INTERVAL_SECONDS,
    STALE_SECONDS_MAX,
    JwksCache,
)
from tests.server.test_authenticator import APPOINTMENT, NOW, PUBLISHED, RSA, SETTINGS, token

Raw = list[tuple[bytes, bytes]]


class AuthenticatorFixture:
    """Sign-in with a clock, an issuer and a memory that a test may change."""

    def __init__(self, most: int = 10) -> None:
        self.now = float(NOW)
        self.advance = 0.0
        self.published: Mapping[str, Any] = PUBLISHED
        self.failure: Exception | None = None
        keys = JwksCache(self._fetch, clock=lambda: self.advance)
        settings = SETTINGS.model_copy(update={"token_cache_size": most})
        self.authenticator = TokenAuthenticator(settings, keys, clock=lambda: self.now)

    async def _fetch(self) -> Mapping[str, Any]:
        if self.failure is not None:
            raise self.failure
        return self.published

    def cached(self, raw: Raw) -> Principal | None:
        head = single_headers(raw, AUTH_HEADERS)
        return self.authenticator.cached(head) if head is not None else None

    async def authenticate(self, raw: Raw) -> Principal:
        return await self.authenticator.authenticate(raw)

    def cached_count(self) -> int:
        return len(self.authenticator._cache)


def bearer_headers(text: str, *more: tuple[bytes, bytes]) -> Raw:
    return [(b"host", b"x"), (b"authorization", b"Bearer " + text.encode()), *more]


def appointment_header(value: object) -> tuple[bytes, bytes]:
    return (b"biandan-appointment", str(value).encode())


async def test_an_anonymous_request_is_the_public() -> None:
    assert AuthenticatorFixture().cached([(b"host", b"x")]) == Principal()


async def test_a_token_is_cached_once_verified() -> None:
    desk, raw = AuthenticatorFixture(), bearer_headers(token(scope="Transfer:offer"))

    before = desk.cached(raw)
    caller = await desk.authenticate(raw)

    assert before is None
    assert desk.cached(raw) == caller == Principal("wang", client="console", scopes=caller.scopes)
    assert caller.scopes == frozenset({"Transfer:offer"})


async def test_the_appointment_is_read_from_each_request() -> None:
    desk, text, other = AuthenticatorFixture(), token(), uuid4()
    await desk.authenticate(bearer_headers(text, appointment_header(APPOINTMENT)))

    asked = [
        desk.cached(bearer_headers(text, *more))
        for more in ([appointment_header(other)], [appointment_header(APPOINTMENT)])
    ]

    assert [caller and caller.appointment_id for caller in asked] == [other, UUID(APPOINTMENT)]
    assert desk.cached(bearer_headers(text)) == Principal("wang", client="console")


async def test_however_many_appointments_a_token_names_each_is_its_own() -> None:
    desk, text = AuthenticatorFixture(), token()
    await desk.authenticate(bearer_headers(text))

    for appointment in [uuid4() for _ in range(3 * APPOINTMENTS_PER_TOKEN_MAX)]:
        known = desk.cached(bearer_headers(text, appointment_header(appointment)))
        assert known == Principal("wang", appointment, "console")


def test_only_relevant_headers_must_be_unique() -> None:
    raw = [(b"via", b"a"), (b"via", b"b"), (b"authorization", b"x")]

    assert single_headers(raw, AUTH_HEADERS) == {b"via": b"b", b"authorization": b"x"}
    assert single_headers([*raw, raw[-1]], AUTH_HEADERS) is None


@pytest.mark.parametrize("value", ["x", "", APPOINTMENT.upper(), UUID(int=0), f"{{{APPOINTMENT}}}"])
async def test_a_malformed_appointment_falls_back_to_verification(value: object) -> None:
    desk, text = AuthenticatorFixture(), token()
    await desk.authenticate(bearer_headers(text))

    assert desk.cached(bearer_headers(text, appointment_header(value))) is None
    with pytest.raises(InvalidAppointmentHeader):
        await desk.authenticate(bearer_headers(text, appointment_header(value)))


async def test_duplicate_headers_fall_back_to_verification() -> None:
    desk, text = AuthenticatorFixture(), token()
    await desk.authenticate(bearer_headers(text))

    assert desk.cached(bearer_headers(text) + bearer_headers(text)) is None
    assert (
        desk.cached(
            bearer_headers(text, appointment_header(APPOINTMENT), appointment_header(APPOINTMENT))
        )
        is None
    )


async def test_a_cached_token_expires_by_the_clock() -> None:
    desk, raw = AuthenticatorFixture(), bearer_headers(token(exp=NOW + 60))
    await desk.authenticate(raw)

    desk.now = NOW + 59.9
    last = desk.cached(raw)
    desk.now = NOW + 60

    assert last is not None
    assert desk.cached(raw) is None
    with pytest.raises(InvalidToken, match="expired"):
        await desk.authenticate(raw)
    assert desk.cached_count() == 0


@pytest.mark.parametrize("text", [token(nbf=NOW), token(iat=NOW)])
async def test_a_cached_token_is_invalid_before_its_time(text: str) -> None:
    desk, raw = AuthenticatorFixture(), bearer_headers(text)
    await desk.authenticate(raw)

    desk.now = NOW - 11

    assert desk.cached(raw) is None
    with pytest.raises(InvalidToken):
        await desk.authenticate(raw)


async def test_a_key_that_is_published_no_more_ends_what_it_signed() -> None:
    desk, raw = AuthenticatorFixture(), bearer_headers(token())
    await desk.authenticate(raw)

    desk.published = {"keys": PUBLISHED["keys"][1:]}
    desk.advance = CACHE_TTL_SECONDS + 1

    assert desk.cached(raw) is None
    with pytest.raises(InvalidToken, match="does not publish"):
        await desk.authenticate(raw)


async def test_another_key_of_the_same_name_ends_what_the_first_signed() -> None:
    desk, raw = AuthenticatorFixture(), bearer_headers(token())
    await desk.authenticate(raw)
    other = ECKey.generate_key("P-256", {"kid": "one"}).as_dict(private=False)

    desk.published = {"keys": [other, *PUBLISHED["keys"][1:]]}
    desk.advance = CACHE_TTL_SECONDS + 1
    await desk.authenticate(bearer_headers(token({"alg": "RS256", "kid": "rsa"}, RSA)))

    assert desk.cached(raw) is None
    with pytest.raises(InvalidToken, match="signature"):
        await desk.authenticate(raw)


@pytest.mark.parametrize(
    "failure", [OSError("silent"), RecursionError("nested"), ValueError("no JSON")]
)
async def test_a_silent_issuer_keeps_its_keys_for_an_hour_and_no_longer(
    failure: Exception,
) -> None:
    desk, raw = AuthenticatorFixture(), bearer_headers(token())
    await desk.authenticate(raw)

    desk.failure = failure
    desk.advance = STALE_SECONDS_MAX
    within_the_hour = await desk.authenticate(raw)
    desk.advance = STALE_SECONDS_MAX + CACHE_TTL_SECONDS + 1
    with pytest.raises(InvalidToken, match="does not publish"):
        await desk.authenticate(raw)
    desk.failure = None
    desk.advance += REFRESH_INTERVAL_SECONDS + 1

    assert await desk.authenticate(raw) == within_the_hour


async def test_keys_are_refreshed_though_every_token_is_cached() -> None:
    desk, raw = AuthenticatorFixture(), bearer_headers(token())
    await desk.authenticate(raw)

    desk.advance = CACHE_TTL_SECONDS
    at_ten_minutes = desk.cached(raw)
    desk.advance = CACHE_TTL_SECONDS + 1
    later = desk.cached(raw)
    await desk.authenticate(raw)

    assert (at_ten_minutes is None, later) == (False, None)
    assert desk.cached(raw) is not None


async def test_a_flood_of_bad_tokens_displaces_nothing() -> None:
    desk, good = AuthenticatorFixture(most=2), bearer_headers(token())
    await desk.authenticate(good)
    head, body, signature = token().split(".")

    for number in range(300):
        with pytest.raises(InvalidToken):
            await desk.authenticate(bearer_headers(f"{head}.{body}{number}.{signature}"))

    assert desk.cached_count() == 1
    assert desk.cached(good) is not None


async def test_the_token_cache_is_bounded_and_keeps_the_token_in_use() -> None:
    desk, used = AuthenticatorFixture(most=4), bearer_headers(token())
    await desk.authenticate(used)

    for number in range(20):
        assert desk.cached(used) is not None
        await desk.authenticate(bearer_headers(token(jti=str(number))))
        assert desk.cached_count() <= 4


async def test_what_long_tokens_weigh_is_bounded_too() -> None:
    desk = AuthenticatorFixture(most=8)
    long = [bearer_headers(token(more="x" * 1_500, jti=str(number))) for number in range(8)]
    longest = bearer_headers(token(more="x" * 4_000))

    for raw in [*long, longest]:
        assert (await desk.authenticate(raw)).subject == "wang"
        desk.cached(raw)
        assert desk.authenticator._cache.weight <= 8 * CACHED_BYTES_MEAN_MAX

    assert desk.cached_count() > 4
    assert desk.cached(longest) is None


GOOD, PAST, MANY = token(), token(exp=NOW - 1), token(sub="li", scope="a:b Transfer:view")
PIECES = st.sampled_from(
    [
        (b"host", b"x"),
        (b"authorization", b"Bearer " + GOOD.encode()),
        (b"authorization", b"bEARER " + MANY.encode()),
        (b"authorization", b"Bearer " + PAST.encode()),
        (b"authorization", b"Bearer  " + GOOD.encode()),
        (b"authorization", b"Basic " + GOOD.encode()),
        (b"authorization", b"Bearer"),
        (b"authorization", b"Bearer \xff"),
        (b"authorization", b""),
        appointment_header(APPOINTMENT),
        appointment_header("x"),
        (b"biandan-appointment", b"\xff"),
    ]
)


@given(st.lists(PIECES, max_size=4))
async def test_a_cached_result_equals_the_verified_one(raw: Raw) -> None:
    desk, fresh = AuthenticatorFixture(), AuthenticatorFixture()
    for sent in (b"Bearer " + GOOD.encode(), b"bEARER " + MANY.encode()):
        await desk.authenticate([(b"authorization", sent)])
    known = desk.cached(raw)

    try:
        expected: Principal | None = await fresh.authenticate(raw)
    except (InvalidToken, InvalidAppointmentHeader):
        expected = None

    assert known == expected
