"""Token bucket: each sender has a number of points a minute, refilled evenly.

Each process counts for itself. The public is counted by address.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from typing import NamedTuple

from policies.vocabulary import Text
from registry.access.principals import Principal

RATE_LIMITED = "RATE_LIMITED"
PUBLIC_DIVISOR = 10
"""Anonymous addresses get a tenth of a client's points."""

MAX_SENDERS = 20_000
SECONDS_PER_MINUTE = 60
IPV6_PREFIX_BITS = 64
"""Prefix length of an IPv6 address; one subscriber usually has the whole /64."""

Sender = tuple[str, ...]


class RateLimitStatus(NamedTuple):
    """The cost of an operation and the remaining points."""

    limit: int  # Points that a sender has in a minute, and at most at once.
    cost: int  # Points of this operation.
    points_left: float  # Points that are left after it, in parts as well.
    charged_at: float  # When it was charged, in seconds since 1970.

    @property
    def remaining(self) -> int:
        return int(self.points_left)

    @property
    def reset_at(self) -> datetime:
        """When all of them will be there again, to the second."""
        seconds = (self.limit - self.points_left) * SECONDS_PER_MINUTE / self.limit
        return datetime.fromtimestamp(ceil(self.charged_at + seconds), UTC)


class RateLimitExceeded(Exception):
    """The sender has too few points; nothing was charged.

    Attributes:
        retry_after: seconds until the same operation can be charged.

    """

    def __init__(self, cost: int, remaining: int, seconds: int) -> None:
        self.retry_after = seconds
        self.message = Text(
            f"The operation costs {cost} points and you have {remaining}; send it again in"
            f" {seconds} s.",
            f"该操作需{cost}点，当前剩余{remaining}点，请于{seconds}秒后重试。",
        )
        super().__init__(self.message.en)


@dataclass(slots=True)
class _Bucket:
    points: float
    updated_at: float


class RateLimiter:
    """The points of each sender. Senders that are signed in and the public are kept apart.

    A flood of public addresses evicts no bucket of a client; of
    either the senders that were silent longest are forgotten, and begin with all points again.
    """

    def __init__(
        self,
        per_minute: int,
        clock: Callable[[], float],
        *,
        wall_clock: Callable[[], float],
        max_senders: int = MAX_SENDERS,
    ) -> None:
        self._clock, self._wall_clock = clock, wall_clock
        self._max_senders = max_senders
        self._authenticated: OrderedDict[Sender, _Bucket] = OrderedDict()
        self._public: OrderedDict[Sender, _Bucket] = OrderedDict()
        self._limit = per_minute
        self._public_limit = max(1, per_minute // PUBLIC_DIVISOR)

    def __len__(self) -> int:
        return len(self._authenticated) + len(self._public)

    def charge(self, caller: Principal, peer: str, cost: int) -> RateLimitStatus:
        sender = sender_of(caller, peer)
        signed_in = sender[0] != "public"
        buckets = self._authenticated if signed_in else self._public
        limit = self._limit if signed_in else self._public_limit
        now = self._clock()
        bucket = buckets.get(sender) or self._new_bucket(buckets, sender, limit, now)
        buckets.move_to_end(sender)
        bucket.points = min(
            limit, bucket.points + (now - bucket.updated_at) * limit / SECONDS_PER_MINUTE
        )
        bucket.updated_at = now
        if cost > bucket.points:
            wait = ceil((cost - bucket.points) * SECONDS_PER_MINUTE / limit)
            raise RateLimitExceeded(cost, int(bucket.points), max(1, wait))
        bucket.points -= cost
        return RateLimitStatus(limit, cost, bucket.points, self._wall_clock())

    def _new_bucket(
        self, buckets: OrderedDict[Sender, _Bucket], sender: Sender, limit: int, now: float
    ) -> _Bucket:
        """All points of a sender who is not known, in the place of who was silent longest."""
        bucket = buckets[sender] = _Bucket(limit, now)
        if len(buckets) > self._max_senders:
            buckets.popitem(last=False)
        return bucket


def sender_of(caller: Principal, peer: str) -> Sender:
    """To whom an operation is charged: a person, a program that acts for itself, an address."""
    if caller.subject:
        return "person", caller.subject, caller.client
    if caller.client:
        return "client", caller.client
    return "public", _network_prefix(peer)


def _network_prefix(peer: str) -> str:
    if ":" not in peer:
        return peer
    try:
        address = ipaddress.IPv6Address(peer.partition("%")[0])
    except ValueError:
        return peer
    mapped = address.ipv4_mapped
    return str(mapped) if mapped else str(int(address) >> (128 - IPV6_PREFIX_BITS))
