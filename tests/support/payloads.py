"""Answers of mutations, with the fields of their object beside the payload's own."""

from typing import Any

_OWN_FIELDS = {"__typename", "auditEntry", "replayed"}


def flatten_payload(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer of one mutation; the fields of its object join those of the payload."""
    objects = [name for name in answer if name not in _OWN_FIELDS]
    found = answer[objects[0]] if len(objects) == 1 else None
    if not isinstance(found, dict):
        return answer
    return {name: answer[name] for name in answer if name in _OWN_FIELDS} | found


def flatten_payloads(data: dict[str, Any]) -> dict[str, Any]:
    """The same for each mutation of an answer."""
    return {
        name: flatten_payload(answer) if isinstance(answer, dict) else answer
        for name, answer in data.items()
    }
