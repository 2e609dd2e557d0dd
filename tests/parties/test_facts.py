"""Facts about parties agree in Python and in SQL, also for the public and for orphans."""

from dataclasses import replace

from policies.vocabulary import VOCABULARY
from registry.access.authorizer import VIEWER_FACTS
from registry.access.principals import Viewer
from registry.parties.facts import APPOINTMENT, CLIENT, ORGANISATION, PERSON, SANCTION
from tests.policies.shipped import EDITION
from tests.support.builders import (
    LANGFANG,
    LONG_AGO,
    TANGSHAN,
    build_viewer,
    create_client,
    create_officer,
    create_officer_of,
    create_organisation,
    create_person,
    create_sanction,
    viewer_of,
)
from tests.support.projection_checks import assert_predicates_agree

KINDS = (ORGANISATION, PERSON, APPOINTMENT, SANCTION, CLIENT)


async def several_of_each() -> list[Viewer]:
    """Rows of every kind, in and out of everybody's reach, and viewers with and without a body."""
    mine = await create_organisation(city=LANGFANG, county="131024")
    closed = await create_organisation("bank", state="closed")
    for body in (mine, closed):
        await create_client(body, "Transfer:view", state="open" if body is mine else "revoked")
    officers = [
        await create_officer(mine),
        await create_officer_of("province"),
        await create_officer_of("centre"),
        await create_officer_of("city", city=TANGSHAN),
        await create_officer_of("county", city=LANGFANG, county="131024"),
        await create_officer_of("auditor"),
    ]
    imposer = officers[3]
    await create_sanction(mine)
    await create_sanction(
        closed,
        submitted_by=imposer.person_id,
        submitting_organisation=imposer.organisation_id,
        state="lifted",
        lifted_at=LONG_AGO,
        lifted_reason="set aside",
    )
    proposer = officers[0].person_id
    await create_officer(
        mine,
        person=await create_person(mine, appointed_externally=True),
        appointed_externally=True,
        state="proposed",
        signatories=[proposer],
        submitted_by=proposer,
    )
    viewers = [viewer_of(officer) for officer in officers]
    restricted = replace(viewers[3], division="130281")
    return [
        *viewers,
        restricted,
        build_viewer("public"),
        build_viewer("portal"),
        build_viewer("registry"),
    ]


async def test_predicate_and_sql_of_every_fact_agree() -> None:
    viewers = await several_of_each()

    for kind in KINDS:
        await assert_predicates_agree(kind, viewers)


async def test_every_fact_is_sometimes_true_and_sometimes_false() -> None:
    viewers = await several_of_each()

    for kind in KINDS:
        records = await kind.record.all()
        for name, fact in kind.facts.items():
            answers = {fact.check(viewer, record) for viewer in viewers for record in records}
            assert answers == {True, False}, f"{kind.name}.{name}"


def test_the_kinds_know_every_fact_that_the_rule_book_asks_of_them() -> None:
    for kind in KINDS:
        asked = {
            name
            for role in VOCABULARY.roles
            for verb in VOCABULARY.kinds[kind.name].verbs
            for name, _ in EDITION.fact_bits(role, kind.name, verb.name)
        }
        assert asked <= set(kind.facts) | set(VIEWER_FACTS), kind.name


async def test_nobody_is_inside_an_empty_division() -> None:
    whole_city = await create_organisation("city", city=TANGSHAN)

    assert not ORGANISATION.facts["inside"].check(build_viewer("county"), whole_city)
