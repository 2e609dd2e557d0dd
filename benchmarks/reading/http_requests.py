"""Requests as they go over the wire, and one answer to look at."""

import http.client
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.reading.client import HOST, NUMBER
from benchmarks.reading.queries import Query, SchemaQuery, Values
from benchmarks.reading.world import Persona

PATH = "/graphql"
REQUEST_TIMEOUT_SECONDS = 60.0
MINIMUM_SHARE = 4
"""A list shorter than wanted is read from the first quarter of its rows."""

_MEDIA = {"Content-Type": "application/json", "Accept": "application/json"}


class ErrorResponse(Exception):
    """A server answered with an error."""


@dataclass(frozen=True, slots=True)
class Requests:
    """One query with different values.

    Attributes:
        path: of the address.
        headers: headers besides host, length and media type.
        bodies: one for each set of values, with a placeholder for the request's number.

    """

    path: str
    headers: Mapping[str, str]
    bodies: tuple[str, ...]

    def raw(self) -> list[str]:
        """Each request in HTTP/1.1; all characters are ASCII."""
        fixed = {"Host": "registry", "Accept": "application/json", **self.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in fixed.items())
        return [
            f"POST {self.path} HTTP/1.1\r\n{head}Content-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
            for body in self.bodies
        ]


@dataclass(frozen=True, slots=True)
class Api:
    """How one server is asked.

    Attributes:
        wording: the query in the server's API.
        headers: headers that say who asks.

    """

    wording: Callable[[Query], SchemaQuery]
    headers: Callable[[Persona], Mapping[str, str]]

    def requests(self, query: Query, persona: Persona, sets: Sequence[Values] = ()) -> Requests:
        """The query with these sets of values, or with its own."""
        wording = self.wording(query)
        bodies = tuple(_body(wording, values) for values in sets or query.variable_sets)
        return Requests(PATH, self.headers(persona), bodies)


@dataclass(frozen=True, slots=True)
class RequestBuilder:
    """Builds the requests to one server, with the server's own cursors."""

    api: Api
    port: int
    _built: dict[tuple[str, str], Requests] = field(default_factory=dict)

    def __call__(self, query: Query, persona: Persona) -> Requests:
        """The requests of a query; each is built once."""
        key = query.name, persona.name
        if key not in self._built:
            sets = self._with_cursors(query, persona) if query.rows else ()
            self._built[key] = self.api.requests(query, persona, sets)
        return self._built[key]

    def _with_cursors(self, query: Query, persona: Persona) -> list[Values]:
        """The values with a cursor instead of each position that leaves rows to read."""
        values = dict(query.variable_sets[0])
        del values["position"]
        cursors, complete = self._list_cursors(query, persona, values)
        usable = len(cursors)
        if complete:
            usable = max(usable - query.rows, usable // MINIMUM_SHARE, 1)
        usable = min(usable, len(query.variable_sets))
        return [{**values, "after": cursor} for cursor in cursors[:usable]] or [values]

    def _list_cursors(
        self, query: Query, persona: Persona, values: Values
    ) -> tuple[list[str], bool]:
        """The cursors of the first rows, and whether these are all rows."""
        document, headers = self.api.wording(query).cursors, self.api.headers(persona)
        cursors: list[str] = []
        after = None
        while len(cursors) < len(query.variable_sets):
            body = _encode(document, {**values, "after": after})
            rows = response_data(send_request(self.port, Requests(PATH, headers, (body,))))["rows"]
            cursors += [edge["cursor"] for edge in rows["edges"]]
            if not rows["pageInfo"]["hasNextPage"]:
                return cursors, True
            after = rows["pageInfo"]["endCursor"]
        return cursors, False


def _body(wording: SchemaQuery, values: Values) -> str:
    return _encode(wording.document, {**wording.variables(values), "requestNumber": NUMBER})


def _encode(document: str, variables: Values) -> str:
    return json.dumps({"query": document, "variables": variables})


def send_request(port: int, requests: Requests, number: int = 0) -> bytes:
    """The answer to one of the requests.

    Raises:
        ErrorResponse: the answer is an error, or there is none.

    """
    connection = http.client.HTTPConnection(HOST, port, timeout=REQUEST_TIMEOUT_SECONDS)
    try:
        body, headers = requests.bodies[number], {**_MEDIA, **requests.headers}
        connection.request("POST", requests.path, body, headers)
        response = connection.getresponse()
        answer = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise ErrorResponse(repr(error)) from None
    finally:
        connection.close()
    if response.status != http.HTTPStatus.OK:
        raise ErrorResponse(f"{response.status}: {answer[:1000]!r}")
    return answer


def response_data(answer: bytes) -> Any:  # noqa: ANN401 - JSON
    """The ``data`` of an answer.

    Raises:
        ErrorResponse: it has errors.

    """
    body = json.loads(answer)
    if body.get("errors"):
        raise ErrorResponse(json.dumps(body["errors"], ensure_ascii=False)[:1000])
    return body["data"]
