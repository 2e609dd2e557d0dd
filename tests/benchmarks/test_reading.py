"""The reading benchmark measures what it claims to measure."""

import contextlib
import socket
import threading
from uuid import UUID

import asyncpg
import pytest
from graphql import build_schema, parse, validate

from benchmarks.goals import Goal, read_goals, summary
from benchmarks.pgbench import warm_rate
from benchmarks.read import GOALS
from benchmarks.reading.answers import bare_codes
from benchmarks.reading.client import NUMBER, LoadResult, numbered_requests, run_load
from benchmarks.reading.http_requests import Api, Requests
from benchmarks.reading.our_queries import DEEP_PAGE, WALK
from benchmarks.reading.pgbench import build_script, run_pgbench
from benchmarks.reading.queries import FEED, FEED_OF_CODES, by_id_query, page_query
from benchmarks.reading.statement_capture import Statement, _values
from benchmarks.reading.world import Persona
from benchmarks.settlement_load import SETTLE_MUTATION
from tests.architecture.source import ROOT
from tests.support.cluster import Database

PERSONA = Persona("city", "city", "city-a", "130100", UUID(int=1))
ONE, OTHER = "2008caf3-af6b-43f9-b996-20a985de2024", "f0cab46a-f020-4615-964c-81c5f2753191"
# Divides by zero unless every value and every text arrives unchanged.
ASSERTING_STATEMENT = """SELECT convert_to('{"state":null,"of":"' || $1 || '","at":' || 1 / (
    $1 = 'it''s: "so"' AND $2::uuid = ANY ($3) AND $4::text IS NULL
    AND $5 = '' AND length('{"a":b,c:\\d:文}') = 14)::int || '}', 'UTF8')"""


async def test_pgbench_sends_what_we_sent(clone: Database, owner: asyncpg.Connection) -> None:
    requests = [_asserted(id) for id in (ONE, OTHER)]
    script = await build_script(owner, requests)

    run = await run_pgbench(clone.application_url, script, connections=2, seconds=1)

    assert len(script.texts) == len(requests)
    assert run.transactions > 0
    assert run.rate > 0


async def test_pgbench_does_not_pass_over_an_error(
    clone: Database, owner: asyncpg.Connection
) -> None:
    wrong = Statement(ASSERTING_STATEMENT, ("no", ONE, f"{{{ONE}}}", None, ""))
    script = await build_script(owner, [[wrong]])

    with pytest.raises(RuntimeError, match="division by zero"):
        await run_pgbench(clone.application_url, script, connections=1, times=1)


async def test_pgbench_gets_text_instead_of_bytes(owner: asyncpg.Connection) -> None:
    script = await build_script(owner, [[Statement("SELECT convert_to('a', 'UTF8') AS found", ())]])

    assert script.texts == ("SELECT ('a');\n",)
    with pytest.raises(RuntimeError, match="digits instead of bytes"):
        await build_script(owner, [[Statement("SELECT convert_to('a', 'UTF8') LIMIT 1", ())]])


def _asserted(id: str) -> list[Statement]:
    values = ('it\'s: "so"', id, f"{{{id}}}", None, "")
    return [Statement(ASSERTING_STATEMENT, values), Statement("SELECT 1", ())]


def test_the_first_second_of_pgbench_is_not_counted() -> None:
    line = "progress: {}.0 s, {} tps, lat 0.1 ms stddev 0.1, 0 failed\n"
    progress = "".join(line.format(at, rate) for at, rate in enumerate((10, 300, 500), 1))

    assert warm_rate(progress) == 400
    assert warm_rate(progress[: len(line)]) is None


def test_our_documents_are_of_the_schema() -> None:
    schema = build_schema((ROOT / "schema/schema.graphql").read_text())
    queries = (
        by_id_query([UUID(ONE)]),
        page_query("130100"),
        page_query("130100", with_total=False),
        FEED,
        FEED_OF_CODES,
    )
    documents = [query.ours.document for query in queries] + [DEEP_PAGE, WALK, SETTLE_MUTATION]
    documents += [query.ours.cursors for query in queries if query.ours.cursors]

    assert [fault for text in documents for fault in validate(schema, parse(text))] == []


def test_a_code_and_an_object_of_a_code_are_the_same_answer() -> None:
    name = {"code": "130100", "name": "石家庄市"}
    row = {"division": {"code": "130100"}, "city": name, "county": None}

    assert bare_codes(row, *row) == {"division": "130100", "city": name, "county": None}


def test_no_body_is_sent_twice() -> None:
    requests = _by_id_requests()
    sent = numbered_requests([text.encode() for text in requests.raw()], 7)

    first = [next(sent) for _ in range(3 * len(requests.bodies))]

    assert len(set(first)) == len(first)
    assert b'"requestNumber": "0000000000000007"' in first[0]
    assert all(len(each) == len(text) for each, text in zip(first, requests.raw(), strict=False))


def test_a_request_without_a_place_for_its_number_is_refused() -> None:
    with pytest.raises(ValueError, match="unpack"):
        next(numbered_requests([b"POST"], 0))


def _by_id_requests() -> Requests:
    query = by_id_query([UUID(ONE), UUID(OTHER)])
    return Api(lambda query: query.ours, lambda _: {}).requests(query, PERSONA)


def test_values_are_read_as_postgresql_logs_them() -> None:
    detail = "Parameters: $1 = 'it''s $2 = ''x''', $2 = NULL, $3 = '{a,b}'"

    assert _values(detail) == ("it's $2 = 'x'", None, "{a,b}")
    assert _values("") == ()


def test_the_client_counts_answers_however_they_arrive() -> None:
    pieces = (b"HTTP/1.1 200 OK\r\nConte", b'nt-Length: 11\r\n\r\n{"da', b'ta":{}}')

    run = _load_from(pieces)

    assert run.answers > 0
    assert run.bytes_each == 11
    assert 0 < run.p50_ms <= run.p99_ms


@pytest.mark.parametrize(
    "pieces",
    [
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\n{}",),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"errors":[]}',),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",),
    ],
    ids=["refused", "errors", "unknown length"],
)
def test_the_client_stops_at_a_bad_answer(pieces: tuple[bytes, ...]) -> None:
    with pytest.raises(RuntimeError, match="no good answer"):
        _load_from(pieces)


def _load_from(pieces: tuple[bytes, ...]) -> LoadResult:
    """The client's result for a server that answers each request with these pieces."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = threading.Thread(target=_serve, args=(listening, pieces))
        serving.start()
        try:
            port = listening.getsockname()[1]
            return run_load(port, [NUMBER.encode()], connections=1, warm_s=0.0, seconds=0.1)
        finally:
            serving.join(5)


def _serve(listening: socket.socket, pieces: tuple[bytes, ...]) -> None:
    connected, _ = listening.accept()
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connected, contextlib.suppress(ConnectionError):
        while connected.recv(4096):
            for piece in pieces:
                connected.sendall(piece)


def test_the_worst_figure_decides() -> None:
    rate = Goal("rate", "a rate", higher_is_better=True, floor=2.0, goal=3.0)
    time = Goal("time", "a time", higher_is_better=False, floor=2.0, goal=1.0)

    assert [rate.verdict(rate.worst(each)) for each in ([3.0, 1.9], [2.0, 4.0], [3.0])] == [
        "MISSED",
        "floor",
        "goal",
    ]
    assert [time.verdict(time.worst(each)) for each in ([2.1, 0.5], [2.0, 0.5], [1.0])] == [
        "MISSED",
        "floor",
        "goal",
    ]


def test_a_summary_is_fine_only_when_all_is_measured_and_kept() -> None:
    goals = read_goals(GOALS)
    kept = {goal.gauge: {"": goal.floor} for goal in goals}
    low = kept | {"pgbench/page": {"city": 0.1}}
    without = {gauge: figures for gauge, figures in kept.items() if gauge != "memory"}

    assert summary(kept, [], goals)[1]
    assert not summary(low, [], goals)[1]
    assert not summary(without, [], goals)[1]
    assert not summary(kept, ["PostGraphile: no Node"], goals)[1]
    assert summary(low, [], goals)[0][-2:] == ["below the floor: pgbench/page", "left out: nothing"]
