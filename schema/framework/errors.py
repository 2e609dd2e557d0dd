"""What errors tell: refusals their code, faults of the client their message, bugs a number."""

from uuid import uuid4

import structlog
from graphql import GraphQLError

from registry.db.session import to_refusal
from registry.kernel.errors import Code, Refused

INTERNAL_CODE = "INTERNAL"

_log = structlog.get_logger()


def format_error(error: GraphQLError) -> GraphQLError:
    """What the client is told of an error; a bug is logged with the number that he is given."""
    cause = _original_error(error)
    if cause is None:
        return _client_error(error)
    refused = cause if isinstance(cause, Refused) else to_refusal(cause)
    return _internal_error(error, cause) if refused is None else _refusal_error(error, refused)


def _original_error(error: GraphQLError) -> BaseException | None:
    """What was raised, where it was not GraphQL itself that found fault with the request."""
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _client_error(error: GraphQLError) -> GraphQLError:
    code = (error.extensions or {}).get("code", Code.MALFORMED.value)
    _log.info("client_fault", code=code)
    error.extensions = {**(error.extensions or {}), "code": code}
    return error


def _refusal_error(error: GraphQLError, refused: Refused) -> GraphQLError:
    _log.info("refused", code=refused.code.value, rule=refused.rule)
    extensions: dict[str, object] = {
        "code": refused.code.value,
        "messageZh": refused.message.zh,
        "retryable": refused.retryable,
    }
    named = {"field": refused.field, "rule": refused.rule, "legalBasis": refused.legal_basis}
    extensions |= {name: value for name, value in named.items() if value}
    return _replace(error, refused.message.en, extensions)


def _internal_error(error: GraphQLError, cause: BaseException) -> GraphQLError:
    number = str(uuid4())
    _log.error("bug", id=number, path=error.path, exc_info=cause)
    return _replace(error, "Internal error", {"code": INTERNAL_CODE, "id": number})


def _replace(error: GraphQLError, message: str, extensions: dict[str, object]) -> GraphQLError:
    return GraphQLError(message, nodes=error.nodes, path=error.path, extensions=extensions)
