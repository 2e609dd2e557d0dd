"""Errors of HTTP in the shape of a GraphQL response, in both languages."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from policies.vocabulary import Text
from registry.kernel.errors import error_extensions
from registry.kernel.observation import note_code

RETRY_AFTER_SECONDS = "1"


class _Status(NamedTuple):
    """Defaults of a status: code, Chinese message, whether to retry."""

    code: str
    zh: str
    retryable: bool = False


_STATUSES = {
    400: _Status("MALFORMED", "请求格式有误。"),
    401: _Status("SIGN_IN_REQUIRED", "登录验证失败，请重新登录。"),
    403: _Status("FORBIDDEN", "不允许该请求。"),
    404: _Status("NOT_FOUND", "不存在该地址。"),
    405: _Status("METHOD_NOT_ALLOWED", "该地址不接受此请求方法。"),
    406: _Status("NOT_ACCEPTABLE", "无法提供所要求的媒体类型。"),
    408: _Status("REQUEST_TIMEOUT", "请求内容未能及时送达。", retryable=True),
    413: _Status("TOO_LARGE", "请求内容过大。"),
    415: _Status("UNSUPPORTED_MEDIA_TYPE", "请求内容的媒体类型不受支持。"),
    500: _Status("INTERNAL", "系统内部错误。"),
    503: _Status("OVERLOADED", "系统繁忙，请稍后重新发送同一请求。", retryable=True),
}

OVERLOADED_MESSAGE = Text(
    "The registry is overloaded; send the same request again.", _STATUSES[503].zh
)


class ProtocolError(HTTPException):
    """A request that HTTP itself, or GraphQL over HTTP, does not allow.

    Attributes:
        message: for the client, in both languages.
        code: of the error; empty where the status has the only one.

    """

    def __init__(
        self,
        status: int,
        message: Text,
        *,
        code: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, message.en, headers)
        self.message, self.code = message, code


def error_body(error: HTTPException) -> Mapping[str, Any]:
    """The body of the response; the code is noted for the metrics."""
    status = _STATUSES.get(error.status_code) or _Status(f"HTTP_{error.status_code}", "请求失败。")
    code, message_zh = status.code, status.zh
    if isinstance(error, ProtocolError):
        code, message_zh = error.code or code, error.message.zh
    note_code(code)
    extensions = error_extensions(code, message_zh, retryable=status.retryable)
    return {"errors": [{"message": error.detail, "extensions": extensions}]}


def error_response(error: HTTPException) -> Response:
    """The response."""
    return JSONResponse(error_body(error), error.status_code, headers=error.headers)


def timed_out(seconds: float) -> ProtocolError:
    """The refusal of a request that took longer than ``seconds``; it was rolled back."""
    message = Text(
        f"The operation took longer than {seconds:g} s; send it again with the same key.",
        "处理超时，请使用同一幂等键重试。",
    )
    headers = {"retry-after": RETRY_AFTER_SECONDS}
    return ProtocolError(503, message, code="TIMEOUT", headers=headers)


def overloaded() -> ProtocolError:
    """The refusal of a request that has had no effect and may be sent again."""
    return ProtocolError(503, OVERLOADED_MESSAGE, headers={"retry-after": RETRY_AFTER_SECONDS})
