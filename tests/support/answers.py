"""Answers of the API to one viewer, read on the test's own connection."""

from typing import Any

from registry.access.principals import Principal, Viewer
from schema.framework.context import Context
from schema.root import build_api_schema


async def answer_to(viewer: Viewer, document: str, **variables: object) -> dict[str, Any]:
    """The data of an answer without errors."""

    async def known(_: Principal) -> Viewer:
        return viewer

    context = Context(Principal(), viewer_lookup=known)
    result = await build_api_schema().execute(document, variables, context)
    assert result.errors is None, result.errors
    assert result.data is not None
    return result.data
