"""Names that look alike: of organisations, and of those who sign in."""

from typing import Any

import pytest

from registry.kernel.errors import Duplicate
from registry.parties.operations import register_client, register_organisation, register_person
from registry.parties.records import Organisation
from tests.support.builders import TANGSHAN, create_officer_of, create_organisation, perform


@pytest.mark.parametrize(
    "twin",
    [
        "住友再生资源(廊坊)有限公司",
        "住友再生资源（廊坊）有限公司\u3164",
        "住友再生资源（廊坊）  有限公司",
        "住友再生资源（廊坊）有限公\ufe00司",
        "住友再⽣资源（廊坊）有限公司",
    ],
)
async def test_a_twin_of_an_open_organisations_name_is_refused(twin: str) -> None:
    officer = await create_officer_of("province")
    kept = "住友再生资源（廊坊）有限公司"
    args: dict[str, Any] = {"kind": "enterprise", "division": TANGSHAN}
    first = await perform(register_organisation, officer, name=kept, **args)

    with pytest.raises(Duplicate) as refusal:
        await perform(register_organisation, officer, name=twin, **args)

    assert refusal.value.field == "name"
    assert (await Organisation.get(id=first.record.id)).name == kept


async def test_a_name_of_compatibility_ideographs_is_a_twin() -> None:
    officer = await create_officer_of("province")
    await create_organisation(name="金城集团")

    with pytest.raises(Duplicate):
        await perform(
            register_organisation,
            officer,
            kind="enterprise",
            name="\uf90a城集团",
            division=TANGSHAN,
        )


@pytest.mark.parametrize(
    ("field", "named"),
    [
        ("nameEn", {"name": "another works", "name_en": "HEBEI steel"}),
        ("nameEn", {"name": "another works", "name_en": "河钢 集团"}),
        ("nameEn", {"name": "Ｈebei Steel"}),
    ],
)
async def test_an_english_name_of_another_organisation_is_refused_like_a_name(
    field: str, named: dict[str, Any]
) -> None:
    officer = await create_officer_of("province")
    await create_organisation(name="河钢集团", name_en="Hebei Steel")

    with pytest.raises(Duplicate) as refusal:
        await perform(register_organisation, officer, kind="enterprise", division=TANGSHAN, **named)

    assert refusal.value.field == field


async def test_an_organisation_may_have_one_name_in_both_languages() -> None:
    officer = await create_officer_of("province")

    done = await perform(
        register_organisation,
        officer,
        kind="enterprise",
        name="ABB",
        name_en="ABB",
        division=TANGSHAN,
    )

    assert done.record.name_en == "ABB"


@pytest.mark.parametrize("subject", ["partner-app", "Partner-App", "ｐartner－app"])
async def test_a_persons_subject_is_no_clients_name(subject: str) -> None:
    province = await create_officer_of("province")
    portal = await create_organisation("portal")
    client: dict[str, Any] = {"organisation": portal.id, "name": "partner-app", "scopes": []}
    person: dict[str, Any] = {"organisation": portal.id, "subject": subject, "name": "李四"}

    await perform(register_client, province, **client)
    with pytest.raises(Duplicate) as taken_by_client:
        await perform(register_person, province, **person)
    await perform(register_person, province, **person | {"subject": "other-app"})
    with pytest.raises(Duplicate) as taken_by_person:
        await perform(register_client, province, **client | {"name": "other-app"})

    assert (taken_by_client.value.field, taken_by_person.value.field) == ("subject", "name")
