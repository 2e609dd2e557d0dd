"""More than can be borne, over real HTTP: answered or refused quickly, and over at once.

And a hostile hour in small: documents that are never sent twice, while an honest client goes on.
"""

import asyncio
import gc
import random
import time
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import asyncpg
import httpx2
import pytest

import tests.portal
from schema.root import whole_schema
from server.compose import limits_of
from server.settings import Settings
from tests.builders import a_client, the_province
from tests.frame.test_contention import held
from tests.portal import CLIENT, Portal, a_portal
from tests.transfers.market import Market

RUNNING, WAITING = 4, 8
BORNE = RUNNING + WAITING
SETTINGS = Settings(
    requests_running_max=RUNNING,
    requests_waiting_max=WAITING,
    # A schema of this test's own, with an empty memory.
    documents_max=100,
    documents_bytes_max=4_000_000,
)
READ = "{ certificates(first: 3) { nodes { number } } }"
NORMAL_SECONDS_MAX = 1.0
QUICK_SECONDS = 2.0


@pytest.fixture
async def portal(market: Market, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Portal]:
    await a_client(await the_province(), name=CLIENT, house=True)
    monkeypatch.setattr(tests.portal, "SETTINGS", SETTINGS)
    async with a_portal() as portal:
        await portal.data(READ)
        yield portal


async def timed(portal: Portal, query: str) -> tuple[float, httpx2.Response]:
    """How long an answer took, and the answer."""
    began = time.perf_counter()
    answer = await portal.post(query)
    return time.perf_counter() - began, answer


@pytest.mark.parametrize("seconds", [0.4, 1.4])
async def test_ten_times_what_can_be_borne_is_answered_or_refused_quickly_and_is_over_at_once(
    portal: Portal, holder: asyncpg.Connection, seconds: float
) -> None:
    portal.http.timeout = httpx2.Timeout(30, pool=30)
    async with held(holder, "LOCK TABLE certificate IN ACCESS EXCLUSIVE MODE"):
        sent = [asyncio.create_task(timed(portal, READ)) for _ in range(10 * BORNE)]
        await asyncio.sleep(0.2)
        alive, health = await portal.http.get("/healthz"), time.perf_counter()
        ready = await portal.http.get("/readyz")
        health = time.perf_counter() - health
        await asyncio.sleep(seconds - 0.2)
    answers = await asyncio.gather(*sent)
    spent, after = await timed(portal, READ)

    assert (alive.status_code, ready.status_code) == (200, 200)
    assert health < NORMAL_SECONDS_MAX
    assert max(took for took, _ in answers) < QUICK_SECONDS
    statuses = Counter(answer.status_code for _, answer in answers)
    assert set(statuses) == {200, 503}
    assert statuses[200] >= RUNNING
    for _, answer in answers:
        told = answer.json()
        assert "errors" not in told or told["errors"][0]["extensions"]["code"] == "BUSY"
        assert (answer.headers.get("retry-after") == "1") is (answer.status_code == 503)
    assert after.status_code == 200
    assert spent < NORMAL_SECONDS_MAX


def documents(number: int, chance: random.Random) -> Iterator[str]:
    """Documents of every hostile shape, no two of them alike."""
    for n in range(number):
        size = chance.randrange(1, 300)
        yield chance.choice(
            (
                f"query D{n} " + "{ viewer " * size + "{ role }" + " }" * size,
                f"query W{n} {{" + " __typename" * size + " }",
                f"query A{n} {{ " + " ".join(f"a{k}: __typename" for k in range(size)) + " }",
                f"query H{n} {{ __typename }} #" + "x" * size * 500,
                f"query S{n} {{ viewer {{ organisation {{" + " id" * size + " } } }",
                f"query F{n} {{ ...F0 }} "
                + " ".join(
                    f"fragment F{k} on Query {{ ...F{k + 1} ...F{k + 1} }}" for k in range(size)
                )
                + f" fragment F{size} on Query {{ __typename }}",
                f"query G{n} {{ nothing(a: {'[' * size}{']' * size}) }}",
                f"query B{n} {{ {'}' * size}",
            )
        )


async def test_a_hostile_hour_in_small(portal: Portal, pytestconfig: pytest.Config) -> None:
    number = 10_000 if pytestconfig.getoption("--long") else 240
    chance = random.Random(20220607)  # noqa: S311 - a test repeats itself
    admissions = whole_schema(limits_of(SETTINGS)).admissions
    refused: Counter[str] = Counter()
    honest: list[float] = []
    await portal.data(READ)
    tracemalloc.start()
    try:
        for n, document in enumerate(documents(number, chance)):
            answer = (await portal.post(document)).json()
            refused[answer["errors"][0]["extensions"]["code"] if "errors" in answer else ""] += 1
            if n % 20 == 0:
                spent, asked = await timed(portal, READ)
                assert "errors" not in asked.json()
                honest.append(spent)
            if n == number // 2:
                gc.collect()
                half = tracemalloc.get_traced_memory()[0]
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - half
    finally:
        tracemalloc.stop()

    assert set(refused) == {"", "MALFORMED", "TOO_LARGE"}
    assert READ in admissions
    assert len(admissions) <= SETTINGS.documents_max
    assert admissions.weight <= SETTINGS.documents_bytes_max
    # What a megabyte more or less is in a process of some fifty.
    assert grown < 3_000_000
    assert sorted(honest)[len(honest) // 2] < NORMAL_SECONDS_MAX


async def test_honest_clients_are_served_between_hostile_ones(portal: Portal) -> None:
    chance = random.Random(1)  # noqa: S311 - likewise

    async def hostile() -> None:
        for document in documents(40, chance):
            await portal.post(document)

    attackers = [asyncio.create_task(hostile()) for _ in range(RUNNING)]
    served = [await timed(portal, READ) for _ in range(20)]
    await asyncio.gather(*attackers)

    assert all("data" in answer.json() for _, answer in served)
    assert max(spent for spent, _ in served) < QUICK_SECONDS
