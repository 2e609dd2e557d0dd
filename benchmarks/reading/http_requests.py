"""Requests as they go over the wire, and one answer to look at."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.reading.client import HOST
from benchmarks.reading.queries import Query, SchemaQuery, Values

REQUEST_TIMEOUT_SECONDS = 60.0


class ErrorResponse(Exception):
    """Whoever was asked answered with an error."""


@dataclass(frozen=True, slots=True)
class Requests:
    """The same query again and again, each time for something else.

    Attributes:
        path: of the address.
        headers: besides host, length and media type.
        bodies: one for each of the query's asks.

    """

    path: str
    headers: Mapping[str, str]
    bodies: tuple[str, ...]

    def raw(self) -> list[str]:
        """Each as HTTP/1.1 has it; all characters are ASCII."""
        fixed = {"Host": "registry", "Accept": "application/json", **self.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in fixed.items())
        return [
            f"POST {self.path} HTTP/1.1\r\n{head}Content-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
            for body in self.bodies
        ]


def encode_requests(
    query: Query, wording: SchemaQuery, *, path: str, headers: Mapping[str, str]
) -> Requests:
    """The requests of a query in one contender's words."""
    return Requests(path, headers, tuple(_body(wording, asked) for asked in query.variable_sets))


def _body(wording: SchemaQuery, asked: Values) -> str:
    return json.dumps({"query": wording.document, "variables": wording.variables(asked)})


def send_request(port: int, asked: Requests, number: int = 0) -> bytes:
    """The answer to one of the requests.

    Raises:
        ErrorResponse: it is an error, or none at all.

    """
    connection = http.client.HTTPConnection(HOST, port, timeout=REQUEST_TIMEOUT_SECONDS)
    try:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        connection.request("POST", asked.path, asked.bodies[number], {**headers, **asked.headers})
        response = connection.getresponse()
        said = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise ErrorResponse(repr(error)) from None
    finally:
        connection.close()
    if response.status != http.HTTPStatus.OK:
        raise ErrorResponse(f"{response.status}: {said[:1000]!r}")
    return said


def response_data(said: bytes) -> Any:  # noqa: ANN401 - JSON
    """The ``data`` of an answer.

    Raises:
        ErrorResponse: it has errors.

    """
    body = json.loads(said)
    if body.get("errors"):
        raise ErrorResponse(json.dumps(body["errors"], ensure_ascii=False)[:1000])
    return body["data"]
