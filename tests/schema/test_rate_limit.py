"""Points of a minute: charged to the right sender, refilled evenly, kept within bounds."""

from datetime import UTC, datetime

import pytest

from registry.access.principals import Principal
from schema.documents.rate_limit import PUBLIC_DIVISOR, RateLimiter, RateLimitExceeded, sender_of

WANG = Principal(subject="wang", client="portal")
PORTAL = Principal(client="portal")
NOBODY = Principal()


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
    rates = RateLimiter(600, clock, wall_clock=clock.time)

    first = rates.charge(WANG, "", 400)
    with pytest.raises(RateLimitExceeded) as limited:
        rates.charge(WANG, "", 300)
    clock.now += limited.value.retry_after
    second = rates.charge(WANG, "", 300)

    assert (first.limit, first.cost, first.remaining) == (600, 400, 200)
    assert first.reset_at == datetime.fromtimestamp(2_000_040, UTC)
    assert limited.value.retry_after == 10
    assert second.remaining == 0


def test_a_refused_operation_is_charged_nothing(clock: Clock) -> None:
    rates = RateLimiter(600, clock, wall_clock=clock.time)
    for _ in range(3):
        with pytest.raises(RateLimitExceeded):
            rates.charge(WANG, "", 601)

    assert rates.charge(WANG, "", 600).remaining == 0


def test_points_never_grow_beyond_the_limit(clock: Clock) -> None:
    rates = RateLimiter(600, clock, wall_clock=clock.time)
    rates.charge(WANG, "", 100)

    clock.now += 3_600
    assert rates.charge(WANG, "", 1).remaining == 599
    assert rates.charge(WANG, "", 1).remaining == 598


def test_each_sender_has_an_own_limit_and_the_public_a_share(clock: Clock) -> None:
    rates = RateLimiter(600, clock, wall_clock=clock.time)

    assert rates.charge(WANG, "10.0.0.1", 600).remaining == 0
    assert rates.charge(PORTAL, "10.0.0.1", 600).remaining == 0
    assert rates.charge(NOBODY, "10.0.0.1", 1).limit == 600 // PUBLIC_DIVISOR
    assert rates.charge(NOBODY, "10.0.0.2", 60).remaining == 0
    with pytest.raises(RateLimitExceeded):
        rates.charge(NOBODY, "10.0.0.2", 1)


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


def test_a_person_is_one_sender_from_any_address(clock: Clock) -> None:
    assert sender_of(WANG, "10.0.0.1") == sender_of(WANG, "10.0.0.2")


def test_public_senders_never_evict_a_client(clock: Clock) -> None:
    rates = RateLimiter(600, clock, wall_clock=clock.time, max_senders=100)
    rates.charge(WANG, "", 600)

    for n in range(1_000):
        rates.charge(NOBODY, f"10.0.{n // 256}.{n % 256}", 1)

    assert len(rates) == 101
    with pytest.raises(RateLimitExceeded):
        rates.charge(WANG, "", 1)


def test_of_too_many_senders_the_least_recent_is_evicted(clock: Clock) -> None:
    rates = RateLimiter(600, clock, wall_clock=clock.time, max_senders=2)
    for subject in ("a", "b", "a", "c"):
        rates.charge(Principal(subject=subject), "", 100)

    assert rates.charge(Principal(subject="a"), "", 100).remaining == 300
    assert rates.charge(Principal(subject="b"), "", 100).remaining == 500
