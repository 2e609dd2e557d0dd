"""What errors tell: refusals their code, faults of the client their message, bugs a number."""

from uuid import uuid4

import structlog
from graphql import GraphQLError

from registry.db.session import translate
from registry.kernel.errors import Code, Refused

INTERNAL = "INTERNAL"

_log = structlog.get_logger()


def told(error: GraphQLError) -> GraphQLError:
    """What the client is told of an error; a bug is logged with the number that he is given."""
    cause = _cause(error)
    if cause is None:
        return _fault(error)
    refused = cause if isinstance(cause, Refused) else translate(cause)
    return _bug(error, cause) if refused is None else _refusal(error, refused)


def _cause(error: GraphQLError) -> BaseException | None:
    """What was raised, where it was not GraphQL itself that found fault with the request."""
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _fault(error: GraphQLError) -> GraphQLError:
    code = (error.extensions or {}).get("code", Code.MALFORMED.value)
    _log.info("client_fault", code=code)
    error.extensions = {**(error.extensions or {}), "code": code}
    return error


def _refusal(error: GraphQLError, refused: Refused) -> GraphQLError:
    _log.info("refused", code=refused.code.value, rule=refused.rule)
    extensions = {
        "code": refused.code.value,
        "messageZh": refused.message.zh,
        "retryable": refused.transient,
        **{
            name: value for name in ("field", "rule", "ground") if (value := getattr(refused, name))
        },
    }
    return _in_place_of(error, refused.message.en, extensions)


def _bug(error: GraphQLError, cause: BaseException) -> GraphQLError:
    number = str(uuid4())
    _log.error("bug", id=number, path=error.path, exc_info=cause)
    return _in_place_of(error, "Internal error", {"code": INTERNAL, "id": number})


def _in_place_of(error: GraphQLError, message: str, extensions: dict[str, object]) -> GraphQLError:
    return GraphQLError(message, nodes=error.nodes, path=error.path, extensions=extensions)
