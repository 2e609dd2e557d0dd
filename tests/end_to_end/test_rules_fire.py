"""Every row of the rule book decides a request sent over HTTP."""

from collections.abc import Mapping, Sequence

import asyncpg
import pytest

from policies.rulebook import RuleBook
from policies.vocabulary import VOCABULARY
from registry.access.authorizer import authorizer
from registry.access.principals import Viewer
from registry.access.rulebook_store import BUNDLED_RULEBOOK
from registry.access.viewer_lookup import resolve_viewer
from registry.db.session import fetch_all
from registry.reading.enum_names import enum_name
from schema.framework.global_ids import to_global_id
from schema.root import build_api_schema
from tests.end_to_end.test_existence import LISTS
from tests.end_to_end.users import USERS, USERS_IN_2026, DemoUser
from tests.reading.oracle import Oracle
from tests.support.cluster import Server
from tests.support.demo_databases import LoadedDemo, open_demo_copy
from tests.support.live_server import Portal, open_portal

ORACLE = Oracle(build_api_schema())

AT_ONCE = 10
"""Questions in one document; it may have no more root fields."""

_OTHER_SIDE = "who submits a transfer and who decides on it stand on two sides of the market"
_SYSTEM = "the machine and the operator send no requests"
_ONE_ORGANISATION = "nobody of the demonstration acts for two authorities"
SILENT = {
    **dict.fromkeys(("N-05", "N-06", "N-11", "N-12", "N-13", "N-14"), _OTHER_SIDE),
    **dict.fromkeys(("C-12", "F-13", "L-07", "T-29"), _SYSTEM),
    **dict.fromkeys(("N-84", "N-85", "N-86", "N-87", "N-88"), _ONE_ORGANISATION),
}
"""Rows that no HTTP response cites, each with the reason; other tests cover them."""

MIXED = {
    "submitted_by = a.person_id": {"qualify": "N-05", "opine": "N-06"},
    "submitting_organisation = a.organisation_id": {
        "qualify": "N-13", "opine": "N-14", "approve": "N-11", "reject": "N-12",
    },
}  # fmt: skip
"""Rows only the owner could write: an officer, or their authority, submitted the case."""


async def test_every_row_decides_something(
    server: Server, world: LoadedDemo, world_of_2026: LoadedDemo
) -> None:
    fired: set[str] = set()
    for story, people in ((world, USERS), (world_of_2026, USERS_IN_2026)):
        async with open_demo_copy(server, story), open_portal() as portal:
            fired |= await rules_fired(portal, people)

    book = RuleBook.load(BUNDLED_RULEBOOK, VOCABULARY)
    unheard = {row.number for row in book.rules} - fired
    assert sorted(unheard - set(SILENT)) == []
    assert sorted(set(SILENT) - unheard) == []


@pytest.mark.parametrize("mix", MIXED)
async def test_the_rows_between_the_two_sides_decide_once_they_are_mixed(
    server: Server, world_of_2026: LoadedDemo, mix: str
) -> None:
    async with open_demo_copy(server, world_of_2026) as database, open_portal() as portal:
        for verb, rule in MIXED[mix].items():
            officer = "centre-approver" if verb == "qualify" else "langfang-approver"
            await mix_sides(database.owner_url, mix, officer)
            who = USERS_IN_2026[officer]
            viewer = await resolve_viewer(await who.principal())
            questions = await questions_by_rule(viewer, "Transfer", [verb])

            assert rule in await rules_told(portal, who, list(questions.values()))


async def mix_sides(owner_url: str, mix: str, officer: str) -> None:
    """Behind the application's back, every case becomes the officer's own."""
    owner = await asyncpg.connect(owner_url)
    try:
        await owner.execute("ALTER TABLE transfer DISABLE TRIGGER USER")
        await owner.execute(
            f"UPDATE transfer SET {mix} FROM appointment a JOIN person p ON p.id = a.person_id"
            " WHERE p.subject = $1",
            f"demo-{officer}",
        )
    finally:
        await owner.close()


async def rules_fired(portal: Portal, people: Mapping[str, DemoUser]) -> set[str]:
    """The rules cited by audit entries, and those cited when people ask for explanations."""
    fired = {act["rule"] for act in await fetch_all("SELECT DISTINCT rule FROM audit_entry")}
    for who in people.values():
        viewer, questions = await resolve_viewer(await who.principal()), dict[str, str]()
        for kind in LISTS:
            verbs = [verb.name for verb in VOCABULARY.kinds[kind].verbs]
            questions |= await questions_by_rule(viewer, kind, verbs)
        fired |= await rules_told(portal, who, list(questions.values()))
    return fired


async def questions_by_rule(viewer: Viewer, kind: str, verbs: Sequence[str]) -> dict[str, str]:
    """For each rule that decides on an object the viewer sees, one question whose answer cites it.

    The engine says which question; the answer over HTTP is what counts.
    """
    of = ORACLE.kind(kind)
    assert of is not None, kind
    return {
        rule: f"explainPermission(kind: {enum_name(kind)}, verb: {enum_name(verb)},"
        f' id: "{to_global_id(kind, record.pk)}") {{ rule }}'
        for record in await of.record.all()
        if authorizer.allows(viewer, of, "view", record)
        for verb in verbs
        if (rule := authorizer.explain(viewer, of, verb, record).rule)
    }


async def rules_told(portal: Portal, who: DemoUser, questions: Sequence[str]) -> set[str]:
    """The rules that the answers cite."""
    answered: set[str] = set()
    for start in range(0, len(questions), AT_ONCE):
        asked = " ".join(
            f"v{n}: {question}" for n, question in enumerate(questions[start : start + AT_ONCE])
        )
        answer = await who.ask(portal, f"{{ {asked} }}")
        answered |= {state["rule"] for state in answer["data"].values()}
    return answered
