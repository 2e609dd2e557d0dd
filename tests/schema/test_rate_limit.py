"""Points of a minute: charged to the right sender, refilled evenly, kept within bounds."""

from datetime import UTC, datetime

import pytest

from registry.access.principals import Caller
from schema.documents.rate_limit import PUBLIC_SHARE, RateLimited, Rates, sender_of

WANG = Caller(subject="wang", client="portal")
PORTAL = Caller(client="portal")
NOBODY = Caller()


class Clock:
    """A time that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now

    def time(self) -> float:
        return 1_000_000 + self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_points_are_charged_until_none_are_left_and_refill_evenly(clock: Clock) -> None:
    rates = Rates(600, clock, time=clock.time)

    first = rates.take(WANG, "", 400)
    with pytest.raises(RateLimited) as limited:
        rates.take(WANG, "", 300)
    clock.now += limited.value.seconds
    second = rates.take(WANG, "", 300)

    assert (first.limit, first.cost, first.remaining) == (600, 400, 200)
    assert first.reset_at == datetime.fromtimestamp(2_000_040, UTC)
    assert limited.value.seconds == 10
    assert second.remaining == 0


def test_a_refused_operation_is_charged_nothing(clock: Clock) -> None:
    rates = Rates(600, clock, time=clock.time)
    for _ in range(3):
        with pytest.raises(RateLimited):
            rates.take(WANG, "", 601)

    assert rates.take(WANG, "", 600).remaining == 0


def test_points_never_grow_beyond_the_limit(clock: Clock) -> None:
    rates = Rates(600, clock, time=clock.time)
    rates.take(WANG, "", 100)

    clock.now += 3_600
    assert rates.take(WANG, "", 1).remaining == 599
    assert rates.take(WANG, "", 1).remaining == 598


def test_each_sender_has_his_own_and_the_public_a_part(clock: Clock) -> None:
    rates = Rates(600, clock, time=clock.time)

    assert rates.take(WANG, "10.0.0.1", 600).remaining == 0
    assert rates.take(PORTAL, "10.0.0.1", 600).remaining == 0
    assert rates.take(NOBODY, "10.0.0.1", 1).limit == 600 // PUBLIC_SHARE
    assert rates.take(NOBODY, "10.0.0.2", 60).remaining == 0
    with pytest.raises(RateLimited):
        rates.take(NOBODY, "10.0.0.2", 1)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.1", "10.0.0.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("fe80::1%eth0", "fe80::2", True),
        ("", "", True),
        ("not:an:address", "not:an:address", True),
    ],
)
def test_one_network_is_one_sender(one: str, other: str, same: bool) -> None:  # noqa: FBT001
    assert (sender_of(NOBODY, one) == sender_of(NOBODY, other)) is same


def test_a_person_is_one_sender_wherever_he_sits(clock: Clock) -> None:
    assert sender_of(WANG, "10.0.0.1") == sender_of(WANG, "10.0.0.2")


def test_no_number_of_public_senders_makes_a_client_be_forgotten(clock: Clock) -> None:
    rates = Rates(600, clock, time=clock.time, senders=100)
    rates.take(WANG, "", 600)

    for n in range(1_000):
        rates.take(NOBODY, f"10.0.{n // 256}.{n % 256}", 1)

    assert len(rates) == 101
    with pytest.raises(RateLimited):
        rates.take(WANG, "", 1)


def test_of_too_many_senders_the_longest_silent_is_forgotten(clock: Clock) -> None:
    rates = Rates(600, clock, time=clock.time, senders=2)
    for subject in ("a", "b", "a", "c"):
        rates.take(Caller(subject=subject), "", 100)

    assert rates.take(Caller(subject="a"), "", 100).remaining == 300
    assert rates.take(Caller(subject="b"), "", 100).remaining == 500
