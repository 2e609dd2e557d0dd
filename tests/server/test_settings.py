"""Which settings let the program start."""

import json
import os
from pathlib import Path

import pytest

from registry.access.principals import Principal
from server.auth.authenticator import TokenAuthenticator
from server.auth.demo_tokens import KEY_FILE, load_signer
from server.auth.jwks import static_keys
from server.settings import (
    REMOVED_SETTINGS,
    RENAMED_SETTINGS,
    ConfigurationError,
    LogFormat,
    Mode,
    Settings,
    read_settings,
)

PRODUCTION = {
    "BIANDAN_MODE": "production",
    "BIANDAN_ISSUER": "https://issuer.example",
    "BIANDAN_AUDIENCE": "biandan",
    "BIANDAN_JWKS_URL": "https://issuer.example/keys",
    "DATABASE_URL": "postgresql://application@db/registry",
}


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", *(name for name in os.environ if name.startswith("BIANDAN_"))):
        monkeypatch.delenv(name, raising=False)


def given(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def test_nothing_set_is_a_demonstration_on_this_machine_alone() -> None:
    settings = read_settings()

    assert (settings.mode, settings.host, settings.port) == (Mode.DEMONSTRATION, "127.0.0.1", 8610)


def test_production_starts_with_an_issuer_and_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, PRODUCTION)

    assert read_settings().is_production
    assert read_settings().log_format is LogFormat.JSON


def test_production_counts_and_a_demonstration_hardly_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    demonstration = read_settings()
    given(monkeypatch, PRODUCTION)

    assert (
        demonstration.rate_limit_points_per_minute
        >= 100 * read_settings().rate_limit_points_per_minute
    )
    assert (
        read_settings().rate_limit_points_per_minute >= 10 * read_settings().cost_per_operation_max
    )


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"BIANDAN_JWKS_URL": ""}, "demonstration's tokens"),
        ({"BIANDAN_JWKS_URL": "http://issuer.example/keys"}, "https"),
        ({"BIANDAN_JWKS_FILE": "/keys.json"}, "not both"),
        ({"DATABASE_URL": ""}, "DATABASE_URL"),
        ({"DATABASE_URL": "registry"}, "DATABASE_URL must begin with postgresql://"),
        ({"DATABASE_URL": "mysql://db/registry"}, "must begin with postgresql://"),
        ({"BIANDAN_OWNER_URL": "registry"}, "BIANDAN_OWNER_URL must begin with"),
        ({"BIANDAN_PORT": "eighty"}, "BIANDAN_PORT"),
        ({"BIANDAN_MODE": "test"}, "BIANDAN_MODE"),
        ({"BIANDAN_BODY_BYTES_MAX": "0"}, "BIANDAN_BODY_BYTES_MAX"),
        (
            {"BIANDAN_RATE_LIMIT_POINTS_PER_MINUTE": "199999"},
            "10 times BIANDAN_COST_PER_OPERATION_MAX",
        ),
        ({"BIANDAN_TRUSTED_PROXIES": "*"}, "BIANDAN_TRUSTED_PROXIES"),
    ],
)
def test_unfit_settings_are_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], said: str
) -> None:
    given(monkeypatch, PRODUCTION | changed)

    with pytest.raises(ConfigurationError, match=said) as refusal:
        read_settings()

    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(("old", "new"), RENAMED_SETTINGS.items())
def test_an_old_name_stops_the_start_and_names_the_new_one(
    monkeypatch: pytest.MonkeyPatch, old: str, new: str
) -> None:
    monkeypatch.setenv(old, "")

    with pytest.raises(ConfigurationError, match=f"^{old} is now called {new}.$"):
        read_settings()

    assert new.removeprefix("BIANDAN_").lower() in Settings.model_fields


@pytest.mark.parametrize("name", sorted(REMOVED_SETTINGS))
def test_a_removed_setting_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name.lower(), "3")

    with pytest.raises(ConfigurationError, match=f"^{name} was removed"):
        read_settings()

    assert name.removeprefix("BIANDAN_").lower() not in Settings.model_fields


@pytest.mark.parametrize(
    ("unknown", "nearest"),
    [
        ("BIANDAN_PROT", "BIANDAN_PORT"),
        ("BIANDAN_DATABASE_URL", "DATABASE_URL"),
        ("BIANDAN_METRIC_PORT", "BIANDAN_METRICS_PORT"),
    ],
)
def test_an_unknown_name_stops_the_start_and_names_the_nearest_setting(
    monkeypatch: pytest.MonkeyPatch, unknown: str, nearest: str
) -> None:
    monkeypatch.setenv(unknown, "8611")

    with pytest.raises(
        ConfigurationError, match=f"no setting {unknown}; the nearest is {nearest}.$"
    ):
        read_settings()


@pytest.mark.parametrize("missing", ["BIANDAN_ISSUER", "BIANDAN_AUDIENCE"])
def test_production_presumes_no_issuer(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    given(monkeypatch, {name: value for name, value in PRODUCTION.items() if name != missing})

    with pytest.raises(ConfigurationError, match="BIANDAN_ISSUER"):
        read_settings()


def test_a_password_in_the_address_is_not_shown() -> None:
    assert "secret" not in repr(
        Settings.model_validate({"DATABASE_URL": "postgresql://u:secret@h/d"})
    )


async def test_the_demonstration_signs_tokens_that_sign_in_accepts(tmp_path: Path) -> None:
    settings = Settings()
    signer = load_signer(settings, tmp_path)
    sign_in = TokenAuthenticator(settings, static_keys(signer.public_keys()))

    token = signer.issue_token("wang", client="demonstration", seconds=60)

    caller = await sign_in.authenticate([(b"authorization", f"Bearer {token}".encode())])
    assert caller == Principal(subject="wang", client="demonstration")


def test_the_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    first = load_signer(Settings(), tmp_path)
    again = load_signer(Settings(), tmp_path)

    assert first.public_keys() == again.public_keys()
    assert '"d"' not in json.dumps(first.public_keys())
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    load_signer(Settings(), tmp_path)
    (tmp_path / KEY_FILE).chmod(0o644)

    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_signer(Settings(), tmp_path)


def test_production_never_signs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given(monkeypatch, PRODUCTION)

    with pytest.raises(ConfigurationError):
        load_signer(read_settings(), tmp_path)
    assert list(tmp_path.iterdir()) == []
