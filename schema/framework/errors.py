"""Errors as clients see them: a code and both languages; an internal error has a number."""

from uuid import uuid4

import structlog
from graphql import GraphQLError

from registry.db.errors import to_refusal
from registry.kernel.errors import Code, Refused, error_extensions
from registry.kernel.observation import note_code

INTERNAL_CODE = "INTERNAL"

_INVALID_REQUEST_ZH = "请求不符合接口规范。"
"""Chinese for the faults that the GraphQL library words in English only."""

_log = structlog.get_logger()


def format_error(error: GraphQLError) -> GraphQLError:
    """The error as the client sees it; a bug is logged under the number that is answered."""
    cause = _original_error(error)
    if cause is None:
        return _client_error(error)
    refused = cause if isinstance(cause, Refused) else to_refusal(cause)
    return _internal_error(error, cause) if refused is None else _refusal_error(error, refused)


def _original_error(error: GraphQLError) -> BaseException | None:
    """The exception raised; None where GraphQL itself rejected the request."""
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _client_error(error: GraphQLError) -> GraphQLError:
    defaults = error_extensions(Code.MALFORMED.value, _INVALID_REQUEST_ZH)
    error.extensions = defaults | (error.extensions or {})
    _log.info("client_fault", code=error.extensions["code"])
    note_code(str(error.extensions["code"]))
    return error


def _refusal_error(error: GraphQLError, refused: Refused) -> GraphQLError:
    _log.info("refused", code=refused.code.value, rule=refused.rule)
    note_code(refused.code.value)
    extensions = error_extensions(
        refused.code.value,
        refused.message.zh,
        retryable=refused.retryable,
        field=refused.field,
        rule=refused.rule,
        legalBasis=refused.legal_basis and refused.legal_basis._asdict(),
    )
    return _replace(error, refused.message.en, extensions)


def _internal_error(error: GraphQLError, cause: BaseException) -> GraphQLError:
    number = str(uuid4())
    _log.error("bug", id=number, path=error.path, exc_info=cause)
    note_code(INTERNAL_CODE)
    return _replace(
        error, "Internal error", error_extensions(INTERNAL_CODE, "系统内部错误。", id=number)
    )


def _replace(error: GraphQLError, message: str, extensions: dict[str, object]) -> GraphQLError:
    return GraphQLError(message, nodes=error.nodes, path=error.path, extensions=extensions)
