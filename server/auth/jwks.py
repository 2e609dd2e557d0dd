"""The public keys of the token issuer: fetched, kept, fetched again when a new one is named."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import httpx2
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

SigningKey = RSAKey | ECKey | OKPKey
Fetch = Callable[[], Awaitable[Mapping[str, Any]]]

CACHE_TTL_SECONDS = 600
REFRESH_INTERVAL_SECONDS = 30
STALE_SECONDS_MAX = 3_600
"""How long keys are used while the issuer does not answer; a withdrawn key ends by then."""

FETCH_TIMEOUT_SECONDS = 5
KEYS_MAX = 50
RSA_BITS_MIN = 2048

_log = structlog.get_logger()


class KeySource(Protocol):
    """Where sign-in finds the key that a token names."""

    async def find(self, kid: str) -> SigningKey | None:
        """The public key called ``kid``, or None where the issuer publishes no such key."""

    def cached(self, kid: str) -> SigningKey | None:
        """The key that ``find`` would answer without asking the issuer; None where it would ask.

        The same object for as long as the issuer was not asked again.
        """


class JwksCache:
    """Keys by name, kept for ten minutes.

    An unknown name forces a fetch, at most one in thirty seconds. When a fetch fails, the keys of
    the last good one stay in use for ``STALE_SECONDS_MAX``.
    """

    def __init__(self, fetch: Fetch, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, SigningKey] = {}
        self._tried_at = self._fetched_at = float("-inf")
        self._lock = asyncio.Lock()

    async def find(self, kid: str) -> SigningKey | None:
        """The public key called ``kid``, or None where the issuer publishes no such key."""
        if self._refresh_due(kid):
            async with self._lock:
                # Another task may have fetched while this one waited.
                if self._refresh_due(kid):
                    await self._refresh()
        return self._keys.get(kid)

    def cached(self, kid: str) -> SigningKey | None:
        """The key that ``find`` would answer without asking the issuer; None where it would ask."""
        return None if self._refresh_due(kid) else self._keys.get(kid)

    def _refresh_due(self, kid: str) -> bool:
        age = self._clock() - self._tried_at
        return age > CACHE_TTL_SECONDS or (kid not in self._keys and age > REFRESH_INTERVAL_SECONDS)

    async def _refresh(self) -> None:
        self._tried_at = self._clock()
        try:
            self._keys = signing_keys(await self._fetch())
            self._fetched_at = self._tried_at
        except (OSError, ValueError, RecursionError, httpx2.HTTPError) as error:
            _log.warning("signing_keys_unavailable", reason=type(error).__name__)
            if self._tried_at - self._fetched_at > STALE_SECONDS_MAX:
                self._keys = {}


def signing_keys(key_set: Mapping[str, Any]) -> dict[str, SigningKey]:
    """The keys of a key set that may check signatures, by name; secret and short ones left out."""
    listed = key_set.get("keys") if isinstance(key_set, Mapping) else None
    if not isinstance(listed, list):
        msg = "not a key set"
        raise ValueError(msg)  # noqa: TRY004 - one kind of error for every malformed response
    usable = (_signing_key(entry) for entry in listed[:KEYS_MAX])
    return {key.kid: key for key in usable if key is not None and key.kid}


def _signing_key(entry: object) -> SigningKey | None:
    """One key that may check signatures; None for any other, which spoils none beside it."""
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    try:
        key = JWKRegistry.import_key(entry)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    if isinstance(key, RSAKey):
        return key if key.public_key.key_size >= RSA_BITS_MIN else None
    return key if isinstance(key, ECKey | OKPKey) else None


def jwks_from_url(url: str) -> JwksCache:
    """The keys that the issuer publishes at ``url``."""

    async def fetch() -> Mapping[str, Any]:
        async with httpx2.AsyncClient(
            timeout=FETCH_TIMEOUT_SECONDS, follow_redirects=False
        ) as client:
            answer = await client.get(url)
            answer.raise_for_status()
            return dict(answer.json())

    return JwksCache(fetch)


def jwks_from_file(path: Path) -> JwksCache:
    """The keys of a file, read again as those of an address are."""

    async def fetch() -> Mapping[str, Any]:
        text = await asyncio.to_thread(path.read_bytes)
        return dict(json.loads(text))

    return JwksCache(fetch)


def static_keys(key_set: Mapping[str, Any]) -> JwksCache:
    """Keys that are known already: the demonstration's own."""

    async def fetch() -> Mapping[str, Any]:
        return key_set

    return JwksCache(fetch)
