"""A figure of demonstration decides nothing in production until the province confirms it (F-01)."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import asyncpg
import pytest

from registry.concepts import open_registry
from registry.db.session import close_database
from registry.kernel.errors import ConditionsUnmet, Duplicate, Forbidden, Malformed
from registry.parties.records import Appointment
from registry.reference.confirmations import confirm_parameter
from registry.reference.parameters import Parameter
from tests.permits.builders import create_province_officer, execute_as
from tests.permits.test_api import ask
from tests.support.builders import create_officer, create_organisation, install_rules
from tests.support.cluster import Database
from tests.support.reference import current_reference

ON = date(2026, 3, 2)


@pytest.fixture
async def production(clone: Database, owner: asyncpg.Connection) -> AsyncIterator[None]:
    """The test's database, opened as in production."""
    await open_registry(clone.application_url, demo_figures=False)
    await install_rules(owner)
    yield
    await close_database()


async def base_price_of_so2() -> Parameter:
    parameters = (await current_reference()).parameters
    return parameters.require("base_price", ON, pollutant="SO2")


def confirmation(**changed: object) -> dict[str, Any]:
    return {
        "name": "base_price",
        "pollutant": "SO2",
        "effective_from": date(2026, 1, 1),
        "value": "7500.00",
        "document_number": "冀发改公价〔2025〕1号",
        "source": "notice of the province",
    } | changed


async def confirm(who: Appointment, **changed: object) -> None:
    await execute_as(who, confirm_parameter, **confirmation(**changed))


@pytest.mark.usefixtures("production")
async def test_a_demonstration_figure_is_unknown_in_production() -> None:
    with pytest.raises(ConditionsUnmet) as refusal:
        await base_price_of_so2()

    assert refusal.value.conditions[0].name == "parameter_known"
    parameters = (await current_reference()).parameters
    assert parameters.require("base_price", date(2025, 12, 31), pollutant="SO2").value == "7500.00"


@pytest.mark.usefixtures("database")
async def test_a_demonstration_figure_decides_in_a_demonstration() -> None:
    assert (await base_price_of_so2()).demo


@pytest.mark.usefixtures("production")
async def test_a_figure_that_the_province_confirmed_decides_in_production() -> None:
    await confirm(await create_province_officer())

    found = await base_price_of_so2()

    assert found.value == "7500.00"
    assert not found.demo
    assert not found.needs_confirmation
    assert "冀发改公价〔2025〕1号" in str(found.legal_basis)


@pytest.mark.usefixtures("production")
async def test_a_confirmed_figure_that_the_reference_data_change_is_unknown_again(
    owner: asyncpg.Connection,
) -> None:
    await confirm(await create_province_officer())

    await owner.execute("UPDATE parameter SET value = '8000.00' WHERE name = 'base_price' AND demo")

    with pytest.raises(ConditionsUnmet):
        await base_price_of_so2()


@pytest.mark.usefixtures("production")
async def test_only_the_province_confirms_and_only_the_figure_on_record() -> None:
    province = await create_province_officer()
    city = await create_officer(await create_organisation("city"))

    with pytest.raises(Forbidden):
        await confirm(city)
    with pytest.raises(Malformed) as other_value:
        await confirm(province, value="8000.00")
    with pytest.raises(Malformed) as other_day:
        await confirm(province, effective_from=date(2026, 1, 2))
    await confirm(province)
    with pytest.raises(Duplicate):
        await confirm(province)

    assert other_value.value.field == "value"
    assert other_day.value.field == "name"


@pytest.mark.usefixtures("production")
async def test_everybody_sees_which_figures_are_confirmed() -> None:
    await confirm(await create_province_officer())
    document = """{
        parameters(asOf: "2026-03-02") { name pollutant { code } demo legalBasis { zh } }
        parameterConfirmations(first: 1) { nodes { documentNumber parameter { name value } } }
    }"""

    answer = await ask(None, document)

    demo = {
        row["pollutant"]["code"]: row["demo"]
        for row in answer["parameters"]
        if row["name"] == "base_price"
    }
    assert demo == {"SO2": False, "NOX": True, "COD": True, "NH3N": True}
    assert answer["parameterConfirmations"]["nodes"] == [
        {
            "documentNumber": "冀发改公价〔2025〕1号",
            "parameter": {"name": "base_price", "value": "7500.00"},
        }
    ]
