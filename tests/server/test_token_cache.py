"""A token that was verified once is known, while it holds; nothing else ever is."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey
from starlette.datastructures import Headers

from registry.access.principals import Caller
from server.auth.authenticator import (
    APPOINTMENTS_MAX,
    REMEMBERED_BYTES_MEAN_MAX,
    SIGNED,
    BadAppointment,
    BadToken,
    SignIn,
    once,
)
from server.auth.jwks import AGE_SECONDS_MAX, FetchedKeys
from tests.server.test_authenticator import APPOINTMENT, NOW, PUBLISHED, RSA, SETTINGS, token

Raw = list[tuple[bytes, bytes]]


class Desk:
    """Sign-in with a clock, an issuer and a memory that a test may change."""

    def __init__(self, most: int = 10) -> None:
        self.now = float(NOW)
        self.went_by = 0.0
        self.published: Mapping[str, Any] = PUBLISHED
        keys = FetchedKeys(self._fetch, clock=lambda: self.went_by)
        settings = SETTINGS.model_copy(update={"sign_ins_max": most})
        self.sign_in = SignIn(settings, keys, clock=lambda: self.now)

    async def _fetch(self) -> Mapping[str, Any]:
        return self.published

    def known(self, raw: Raw) -> Caller | None:
        head = once(raw, SIGNED)
        return self.sign_in.known(head) if head is not None else None

    async def caller(self, raw: Raw) -> Caller:
        return await self.sign_in.caller(Headers(raw=raw))

    def remembered(self) -> int:
        return len(self.sign_in._tokens)


def bearing(text: str, *more: tuple[bytes, bytes]) -> Raw:
    return [(b"host", b"x"), (b"authorization", b"Bearer " + text.encode()), *more]


def named(value: object) -> tuple[bytes, bytes]:
    return (b"biandan-appointment", str(value).encode())


async def test_whoever_is_not_signed_in_is_known_to_be_the_public() -> None:
    assert Desk().known([(b"host", b"x")]) == Caller()


async def test_a_token_is_known_once_it_was_verified() -> None:
    desk, raw = Desk(), bearing(token(scope="Transfer:offer"))

    before = desk.known(raw)
    caller = await desk.caller(raw)

    assert before is None
    assert desk.known(raw) == caller == Caller("wang", client="console", scopes=caller.scopes)
    assert caller.scopes == frozenset({"Transfer:offer"})


async def test_the_appointment_is_read_from_each_request() -> None:
    desk, text, other = Desk(), token(), uuid4()
    await desk.caller(bearing(text, named(APPOINTMENT)))

    asked = [desk.known(bearing(text, *more)) for more in ([named(other)], [named(APPOINTMENT)])]

    assert [caller and caller.appointment for caller in asked] == [other, UUID(APPOINTMENT)]
    assert desk.known(bearing(text)) == Caller("wang", client="console")


async def test_however_many_appointments_a_token_names_each_is_its_own() -> None:
    desk, text = Desk(), token()
    await desk.caller(bearing(text))

    for appointment in [uuid4() for _ in range(3 * APPOINTMENTS_MAX)]:
        known = desk.known(bearing(text, named(appointment)))
        assert known == Caller("wang", appointment, "console")


def test_only_what_is_read_must_not_stand_there_twice() -> None:
    raw = [(b"via", b"a"), (b"via", b"b"), (b"authorization", b"x")]

    assert once(raw, SIGNED) == {b"via": b"b", b"authorization": b"x"}
    assert once([*raw, raw[-1]], SIGNED) is None


@pytest.mark.parametrize("value", ["x", "", APPOINTMENT.upper(), UUID(int=0), f"{{{APPOINTMENT}}}"])
async def test_a_malformed_appointment_is_left_to_the_slow_way(value: object) -> None:
    desk, text = Desk(), token()
    await desk.caller(bearing(text))

    assert desk.known(bearing(text, named(value))) is None
    with pytest.raises(BadAppointment):
        await desk.caller(bearing(text, named(value)))


async def test_what_is_said_twice_is_left_to_the_slow_way() -> None:
    desk, text = Desk(), token()
    await desk.caller(bearing(text))

    assert desk.known(bearing(text) + bearing(text)) is None
    assert desk.known(bearing(text, named(APPOINTMENT), named(APPOINTMENT))) is None


async def test_a_known_token_expires_by_the_clock() -> None:
    desk, raw = Desk(), bearing(token(exp=NOW + 60))
    await desk.caller(raw)

    desk.now = NOW + 59.9
    last = desk.known(raw)
    desk.now = NOW + 60

    assert last is not None
    assert desk.known(raw) is None
    with pytest.raises(BadToken, match="expired"):
        await desk.caller(raw)
    assert desk.remembered() == 0


@pytest.mark.parametrize("text", [token(nbf=NOW), token(iat=NOW)])
async def test_a_known_token_does_not_hold_before_its_time(text: str) -> None:
    desk, raw = Desk(), bearing(text)
    await desk.caller(raw)

    desk.now = NOW - 11

    assert desk.known(raw) is None
    with pytest.raises(BadToken):
        await desk.caller(raw)


async def test_a_key_that_is_published_no_more_ends_what_it_signed() -> None:
    desk, raw = Desk(), bearing(token())
    await desk.caller(raw)

    desk.published = {"keys": PUBLISHED["keys"][1:]}
    desk.went_by = AGE_SECONDS_MAX + 1

    assert desk.known(raw) is None
    with pytest.raises(BadToken, match="does not publish"):
        await desk.caller(raw)


async def test_another_key_of_the_same_name_ends_what_the_first_signed() -> None:
    desk, raw = Desk(), bearing(token())
    await desk.caller(raw)
    other = ECKey.generate_key("P-256", {"kid": "one"}).as_dict(private=False)

    desk.published = {"keys": [other, *PUBLISHED["keys"][1:]]}
    desk.went_by = AGE_SECONDS_MAX + 1
    await desk.caller(bearing(token({"alg": "RS256", "kid": "rsa"}, RSA)))

    assert desk.known(raw) is None
    with pytest.raises(BadToken, match="signature"):
        await desk.caller(raw)


async def test_the_keys_are_fetched_again_though_every_token_is_known() -> None:
    desk, raw = Desk(), bearing(token())
    await desk.caller(raw)

    desk.went_by = AGE_SECONDS_MAX
    at_ten_minutes = desk.known(raw)
    desk.went_by = AGE_SECONDS_MAX + 1
    later = desk.known(raw)
    await desk.caller(raw)

    assert (at_ten_minutes is None, later) == (False, None)
    assert desk.known(raw) is not None


async def test_a_flood_of_bad_tokens_displaces_nothing() -> None:
    desk, good = Desk(most=2), bearing(token())
    await desk.caller(good)
    head, body, signature = token().split(".")

    for number in range(300):
        with pytest.raises(BadToken):
            await desk.caller(bearing(f"{head}.{body}{number}.{signature}"))

    assert desk.remembered() == 1
    assert desk.known(good) is not None


async def test_so_many_tokens_are_remembered_and_the_one_in_use_stays() -> None:
    desk, used = Desk(most=4), bearing(token())
    await desk.caller(used)

    for number in range(20):
        assert desk.known(used) is not None
        await desk.caller(bearing(token(jti=str(number))))
        assert desk.remembered() <= 4


async def test_what_long_tokens_weigh_is_bounded_too() -> None:
    desk = Desk(most=8)
    long = [bearing(token(more="x" * 1_500, jti=str(number))) for number in range(8)]
    longest = bearing(token(more="x" * 4_000))

    for raw in [*long, longest]:
        assert (await desk.caller(raw)).subject == "wang"
        desk.known(raw)
        assert desk.sign_in._tokens.weight <= 8 * REMEMBERED_BYTES_MEAN_MAX

    assert desk.remembered() > 4
    assert desk.known(longest) is None


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
        named(APPOINTMENT),
        named("x"),
        (b"biandan-appointment", b"\xff"),
    ]
)


@given(st.lists(PIECES, max_size=4))
async def test_what_is_known_is_what_the_slow_way_says(raw: Raw) -> None:
    desk, fresh = Desk(), Desk()
    for sent in (b"Bearer " + GOOD.encode(), b"bEARER " + MANY.encode()):
        await desk.caller([(b"authorization", sent)])
    known = desk.known(raw)

    try:
        expected: Caller | None = await fresh.caller(raw)
    except (BadToken, BadAppointment):
        expected = None

    assert known == expected
