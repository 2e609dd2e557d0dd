"""The operator's settings, read from the environment: ``BIANDAN_*`` and ``DATABASE_URL``."""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schema.documents.rate_limit import PUBLIC_DIVISOR

Positive = Annotated[int, Field(gt=0)]


POINTS_MAX = 2_000_000_000
"""Maximum number of points: the API's integers have 32 bits."""


RENAMED_SETTINGS: Mapping[str, str] = {
    "BIANDAN_COST_PER_MINUTE": "BIANDAN_RATE_LIMIT_POINTS_PER_MINUTE",
    "BIANDAN_DOCUMENTS_BYTES_MAX": "BIANDAN_DOCUMENT_CACHE_BYTES",
    "BIANDAN_DOCUMENTS_MAX": "BIANDAN_DOCUMENT_CACHE_SIZE",
    "BIANDAN_PROXIES": "BIANDAN_TRUSTED_PROXIES",
    "BIANDAN_REQUESTS_RUNNING_MAX": "BIANDAN_MAX_CONCURRENT_REQUESTS",
    "BIANDAN_REQUESTS_WAITING_MAX": "BIANDAN_MAX_QUEUED_REQUESTS",
    "BIANDAN_ROOTS_MAX": "BIANDAN_MAX_ROOT_FIELDS",
    "BIANDAN_SIGN_INS_MAX": "BIANDAN_TOKEN_CACHE_SIZE",
    "BIANDAN_STANDINGS_MAX": "BIANDAN_VIEWER_CACHE_SIZE",
    "BIANDAN_STATE": "BIANDAN_STATE_DIR",
}
"""Old names and the new ones. An old name stops the start: ignored, its limit would not hold."""

REMOVED_SETTINGS = frozenset({"BIANDAN_READER_CONCURRENCY", "BIANDAN_READER_STATEMENTS_AT_ONCE"})
"""Names of settings that nothing reads any more; they stop the start as well."""


class Mode(StrEnum):
    """A demonstration signs its own tokens and may move its clock; production does neither."""

    DEMONSTRATION = "demonstration"
    PRODUCTION = "production"


class LogFormat(StrEnum):
    """The form of log lines: for a person at a terminal, or for a program that collects them."""

    CONSOLE = "console"
    JSON = "json"


class ConfigurationError(Exception):
    """The settings do not allow a start; the message is one sentence with the reason."""


class Settings(BaseSettings):
    """The settings of one process."""

    model_config = SettingsConfigDict(env_prefix="BIANDAN_", frozen=True, extra="ignore")

    mode: Mode = Mode.DEMONSTRATION
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8610
    # An existing PostgreSQL as the application role; empty for the embedded one.
    database_url: str = Field(default="", validation_alias="DATABASE_URL", repr=False)
    # The same database as its owner, for migrations only.
    owner_url: str = Field(default="", repr=False)
    # The same database as a role that only reads. Where it is empty, queries run as the application
    # role in sessions that cannot write.
    reader_url: str = Field(default="", repr=False)
    # Directory of the embedded database and the demonstration's key; None for the usual one.
    state_dir: Path | None = None
    # The ``iss`` that access tokens must carry.
    issuer: str = "https://demonstration.biandan.invalid"
    audience: str = "biandan"  # The ``aud`` that access tokens must name.
    jwks_url: str = ""  # The address of the issuer's public keys.
    jwks_file: Path | None = None  # The same keys in a file, where the issuer cannot be reached.
    log_format: LogFormat = Field(default_factory=lambda given: _default_log_format(given["mode"]))
    # Connections of the pool for commands and executed queries.
    database_connections_max: Positive = 10
    # Connections for planned queries; each runs one statement at a time.
    reader_connections_max: Positive = 10
    body_bytes_max: Positive = 200_000  # The longest request body.
    token_bytes_max: Positive = 8_192  # The longest access token.
    token_cache_size: Positive = 4_096  # Number of verified access tokens in the cache.
    viewer_cache_size: Positive = 4_096  # Number of viewers in the cache.
    document_tokens_max: Positive = 2_000
    aliases_max: Positive = 15
    depth_max: Positive = 12
    directives_max: Positive = 10
    page_max: Positive = 100
    nodes_max: Positive = 20_000
    max_root_fields: Positive = 10
    # Points of one operation; see ``schema.documents.cost``.
    cost_per_operation_max: Positive = 20_000
    # Points of a client or person in a minute; a public address has a tenth.
    rate_limit_points_per_minute: Annotated[int, Field(gt=0, le=POINTS_MAX)] = Field(
        default_factory=lambda given: _default_rate_limit(given["mode"])
    )
    document_cache_size: Positive = 512  # Number of parsed documents in the cache.
    document_cache_bytes: Positive = 24_000_000  # Their estimated memory.
    max_concurrent_requests: Positive = 32  # Number of requests that run at once.
    # Number of requests that wait for a slot, for at most a second.
    max_queued_requests: Positive = 64
    # Addresses, by commas, of proxies whose ``X-Forwarded-For`` is trusted.
    trusted_proxies: str = ""
    # Seconds in which a request arrives and its answer begins.
    operation_seconds_max: Positive = 10
    # Seconds in which a stopping server finishes running requests.
    drain_seconds_max: Positive = 15
    # Port of the Prometheus metrics; None serves none.
    metrics_port: Annotated[int, Field(gt=0, le=65535)] | None = None
    # A statement that takes longer is logged; None logs none.
    slow_statement_ms: Positive | None = None

    @property
    def is_production(self) -> bool:
        """Whether tokens come from an issuer outside and time is real."""
        return self.mode is Mode.PRODUCTION

    @model_validator(mode="after")
    def _validate(self) -> Self:
        production = self._production_checks() if self.is_production else ()
        for unfit, msg in (*self._checks(), *production):
            if unfit:
                raise ValueError(msg)
        return self

    def _checks(self) -> tuple[tuple[bool, str], ...]:
        return (
            (_has_other_scheme(self.database_url), "DATABASE_URL must begin with postgresql://."),
            (_has_other_scheme(self.owner_url), "BIANDAN_OWNER_URL must begin with postgresql://."),
            (
                _has_other_scheme(self.reader_url),
                "BIANDAN_READER_URL must begin with postgresql://.",
            ),
            (
                bool(self.jwks_url and self.jwks_file),
                "Give BIANDAN_JWKS_URL or BIANDAN_JWKS_FILE, not both.",
            ),
            (
                bool(self.jwks_url) and not self.jwks_url.startswith("https://"),
                "BIANDAN_JWKS_URL must begin with https://.",
            ),
            (
                self.rate_limit_points_per_minute < PUBLIC_DIVISOR * self.cost_per_operation_max,
                (
                    "BIANDAN_RATE_LIMIT_POINTS_PER_MINUTE must be at least"
                    f" {PUBLIC_DIVISOR} times BIANDAN_COST_PER_OPERATION_MAX."
                ),
            ),
            (
                "*" in self.trusted_proxies,
                "BIANDAN_TRUSTED_PROXIES must list addresses or networks, not `*`.",
            ),
        )

    def _production_checks(self) -> tuple[tuple[bool, str], ...]:
        return (
            (not self.database_url, "Production needs DATABASE_URL."),
            (
                not (self.jwks_url or self.jwks_file),
                "Production forbids the demonstration's tokens: give BIANDAN_JWKS_URL or _FILE.",
            ),
            (
                "issuer" not in self.model_fields_set or "audience" not in self.model_fields_set,
                "Production needs BIANDAN_ISSUER and BIANDAN_AUDIENCE.",
            ),
        )


def _has_other_scheme(url: str) -> bool:
    return bool(url) and not url.startswith(("postgresql://", "postgres://"))


def _default_rate_limit(mode: Mode) -> int:
    """A demonstration has practically no limit."""
    return 600_000 if mode is Mode.PRODUCTION else POINTS_MAX


def _default_log_format(mode: Mode) -> LogFormat:
    return LogFormat.JSON if mode is Mode.PRODUCTION else LogFormat.CONSOLE


_PREFIX = "BIANDAN_"
_NAMES = frozenset({
    "DATABASE_URL",
    *(f"{_PREFIX}{field.upper()}" for field in Settings.model_fields if field != "database_url"),
})  # fmt: skip


def _check_names(environment: Mapping[str, str]) -> None:
    for name in sorted(map(str.upper, environment)):
        if name in RENAMED_SETTINGS:
            raise ConfigurationError(f"{name} is now called {RENAMED_SETTINGS[name]}.")
        if name in REMOVED_SETTINGS:
            raise ConfigurationError(f"{name} was removed and has no effect; unset it.")
        if name.startswith(_PREFIX) and name not in _NAMES:
            (nearest,) = get_close_matches(name, sorted(_NAMES), n=1, cutoff=0)
            raise ConfigurationError(f"There is no setting {name}; the nearest is {nearest}.")


def read_settings() -> Settings:
    """The settings of the environment.

    Raises:
        ConfigurationError: a setting is unknown, malformed or bears an old name, or production has
            what only a demonstration may.

    """
    _check_names(os.environ)
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        said = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(
            f"BIANDAN_{name.removeprefix('BIANDAN_')}: {said}." if name else said
        ) from None
