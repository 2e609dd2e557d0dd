"""The demonstration's own signer of access tokens; production settings make it impossible."""

import json
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import ECKey, KeyParameters

from server.settings import ConfigurationError, Settings

KEY_FILE = "demonstration-key.json"
DEFAULT_CLIENT = "demonstration"
"""The program through which the people of the demonstration sign in."""

ALGORITHM = "ES256"
_PRIVATE_MODE = stat.S_IRUSR | stat.S_IWUSR


@dataclass(frozen=True, slots=True)
class DemoTokenSigner:
    """Signs tokens in the form that an issuer of the province would use."""

    settings: Settings
    key: ECKey

    def issue_token(
        self, subject: str, *, client: str, seconds: int, scope: str | None = None
    ) -> str:
        """An access token for ``subject`` through ``client``, good for ``seconds`` from now."""
        now = int(time.time())
        claims: dict[str, object] = {
            "iss": self.settings.issuer,
            "aud": self.settings.audience,
            "sub": subject,
            "client_id": client,
            "iat": now,
            "exp": now + seconds,
            "jti": str(uuid4()),
        }
        if scope is not None:
            claims["scope"] = scope
        header = {"typ": "at+jwt", "alg": ALGORITHM, "kid": self.key.kid}
        return jwt.encode(header, claims, self.key, algorithms=[ALGORITHM])

    def public_keys(self) -> dict[str, object]:
        """The key set under which the tokens are checked."""
        return {"keys": [self.key.as_dict(private=False)]}


def load_signer(settings: Settings, directory: Path) -> DemoTokenSigner:
    """The signer whose key lies in ``directory``; at the first start the key is made."""
    if settings.is_production:
        raise ConfigurationError("Production never signs its own tokens.")
    path = directory / KEY_FILE
    if not path.exists():
        _create_key(path)
    if stat.S_IMODE(path.stat().st_mode) & ~_PRIVATE_MODE:
        raise ConfigurationError(
            f"Others may read the demonstration's key {path}; run: chmod 600 {path}"
        )
    return DemoTokenSigner(settings, ECKey.import_key(json.loads(path.read_text())))


def _create_key(path: Path) -> None:
    parameters = cast("KeyParameters", {"use": "sig", "alg": ALGORITHM, "kid": str(uuid4())})
    key = ECKey.generate_key("P-256", parameters, private=True)
    fresh = path.with_name(f"{path.name}.{uuid4().hex}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_MODE)
    with os.fdopen(descriptor, "w") as file:
        json.dump(key.as_dict(private=True), file)
    try:
        # A link refuses to replace, so two first starts at once agree on one key.
        path.hardlink_to(fresh)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
