"""Errors of HTTP in the shape of a GraphQL response."""

from collections.abc import Mapping
from typing import Any


def error_body(status: int, message: str) -> Mapping[str, Any]:
    """What an HTTP error says, in the shape of a GraphQL answer."""
    codes = {400: "MALFORMED", 401: "SIGN_IN_REQUIRED", 413: "TOO_LARGE"}
    code = codes.get(status, f"HTTP_{status}")
    return {"errors": [{"message": message, "extensions": {"code": code}}]}
