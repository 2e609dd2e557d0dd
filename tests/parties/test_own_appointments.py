"""``myAppointments``: a person sees their own appointments in force before one of them acts."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.reading.extreme_rows import without_triggers
from tests.support.cluster import Database
from tests.support.live_server import CLIENT, Portal, open_portal

BOTH = "demo-langfang-xianghe"
QUERY = """{ myAppointments { id role roleText { zh } organisation { name } division { code }
    mayInitiate mayApprove validFrom validUntil } }"""


@pytest.fixture(params=[False, True], ids=["resolved", "planned"])
async def portal(
    founding_database: Database, request: pytest.FixtureRequest
) -> AsyncIterator[Portal]:
    planned = founding_database if request.param else None
    async with open_portal(planned=planned) as running:
        yield running


@pytest.fixture
async def owner(founding_database: Database) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(founding_database.owner_url)
    yield connection
    await connection.close()


async def test_a_person_chooses_between_their_appointments(portal: Portal) -> None:
    found = (await portal.data(QUERY, subject=BOTH))["myAppointments"]

    assert {each["role"]: each["division"]["code"] for each in found} == {
        "CITY": "131000",
        "COUNTY": "131024",
    }
    assert all(each["organisation"]["name"] and each["mayApprove"] for each in found)
    for each in found:
        asked = "{ viewer { role appointment { id } } myAppointments { id } }"
        answer = await portal.data(asked, subject=BOTH, appointment=each["id"])
        assert answer["viewer"] == {"role": each["role"], "appointment": {"id": each["id"]}}
        assert len(answer["myAppointments"]) == 2


async def test_everything_else_still_needs_the_choice(portal: Portal) -> None:
    asked = "{ own: myAppointments { role } viewer { role } workList(first: 9) { verb } }"

    answer = await portal.ask(asked, subject=BOTH)

    assert answer.get("data") is None
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"APPOINTMENT_REQUIRED"}
    node = '{ own: myAppointments { role } node(id: "T3JnYW5pc2F0aW9uOjE") { id } }'
    answer = await portal.ask(node, subject=BOTH)
    assert (len(answer["data"]["own"]), answer["data"]["node"]) == (2, None)
    assert [error["path"] for error in answer["errors"]] == [["node"]]


async def test_what_hangs_on_an_organisation_is_what_the_public_sees(portal: Portal) -> None:
    asked = """{ myAppointments { organisation {
        maskedFields availableActions accounts(first: 1) { totalCount } } } }"""

    found = (await portal.data(asked, subject=BOTH))["myAppointments"]

    for each in found:
        assert "twoRepresentatives" in each["organisation"]["maskedFields"]
        assert each["organisation"]["availableActions"] == []
        assert each["organisation"]["accounts"]["totalCount"] == 0


async def test_nobody_sees_the_appointments_of_another(portal: Portal) -> None:
    assert await portal.data(QUERY) == {"myAppointments": []}
    assert await portal.data(QUERY, subject="a-stranger") == {"myAppointments": []}
    own = await portal.data(QUERY, subject="demo-province-initiator")
    assert [each["role"] for each in own["myAppointments"]] == ["PROVINCE"]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE appointment SET valid_until = now(), state = 'ended', ended_at = now()",
        "UPDATE appointment SET valid_until = registry_now()",
        "UPDATE appointment SET valid_from = now(), valid_until = NULL",
        "UPDATE organisation SET state = 'closed'",
    ],
)
async def test_only_what_is_in_force_is_listed(
    portal: Portal, owner: asyncpg.Connection, change: str
) -> None:
    await without_triggers(owner, "DISABLE")
    await owner.execute(change)

    assert await portal.data(QUERY, subject=BOTH) == {"myAppointments": []}


async def test_a_revoked_client_is_told_nothing(portal: Portal, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE client SET state = 'revoked' WHERE name = $1", CLIENT)

    answer = await portal.ask(QUERY, subject=BOTH)

    assert answer.get("data") is None
    assert answer["errors"][0]["extensions"]["code"] == "CLIENT_NOT_REGISTERED"


async def test_a_page_of_none_or_too_many_is_refused(portal: Portal) -> None:
    for size in (0, 101):
        answer = await portal.ask(f"{{ myAppointments(first: {size}) {{ id }} }}", subject=BOTH)
        assert answer["errors"][0]["extensions"]["code"] == "MALFORMED"
