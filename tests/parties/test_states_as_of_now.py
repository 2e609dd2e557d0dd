"""State filters judge the state as of now: what has run out is in force no longer."""

from datetime import UTC, datetime, timedelta

import pytest

from registry.access.principals import Principal
from tests.parties.test_api import ask
from tests.support.builders import (
    create_freeze,
    create_officer,
    create_officer_of,
    create_organisation,
    create_sanction,
    principal_of,
)

YESTERDAY = datetime.now(UTC) - timedelta(days=1)
OVER = {"appointments": "ENDED", "sanctions": "EXPIRED", "freezes": "EXPIRED"}


@pytest.fixture
async def province() -> Principal:
    body = await create_organisation()
    for end in (YESTERDAY, None):
        await create_officer(body, valid_until=end)
        await create_sanction(body, ends_at=end)
        await create_freeze(body, ends_at=end)
    return await principal_of(await create_officer_of("province"))


@pytest.mark.parametrize("name", OVER)
async def test_a_filter_and_the_field_say_the_same_state(province: Principal, name: str) -> None:
    kind = name.removesuffix("s").capitalize()
    document = f"""query ($where: {kind}Where) {{
        {name}(first: 10, where: $where) {{ nodes {{ id state }} }} }}"""

    async def listed(*states: str) -> list[dict[str, str]]:
        where = {"state": list(states)} if states else None
        nodes: list[dict[str, str]] = (await ask(province, document, where=where))[name]["nodes"]
        return nodes

    over, in_force = await listed(OVER[name]), await listed("IN_FORCE")

    assert [each["state"] for each in over] == [OVER[name]]
    assert {each["state"] for each in in_force} == {"IN_FORCE"}
    both = await listed("IN_FORCE", OVER[name])
    assert sorted(each["id"] for each in both) == sorted(each["id"] for each in over + in_force)
    assert len(await listed()) == len(both)


async def test_accounts_are_listed_by_kind_or_by_city(province: Principal) -> None:
    document = """{ kinds: accounts(first: 50) { nodes { id kind } }
        cities: accounts(first: 50, orderBy: CITY) { nodes { id } } }"""

    found = await ask(province, document)

    kinds = [each["kind"] for each in found["kinds"]["nodes"]]
    assert kinds == sorted(kinds)
    assert {each["id"] for each in found["kinds"]["nodes"]} == {
        each["id"] for each in found["cities"]["nodes"]
    }
