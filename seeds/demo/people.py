"""Whom one may sign in as in a demonstration: invented people only, at least one for each role."""

from dataclasses import dataclass
from uuid import UUID

from policies.vocabulary import Text
from registry.access.principals import NIL
from registry.db.session import fetch_all
from seeds.csv_reader import matching, parse_cell, parse_text, read_rows
from seeds.demo.scenario_columns import FOLDER

_SUBJECT = matching(r"[a-z][a-z0-9-]*")
_COLUMNS = {"subject": _SUBJECT, "client": _SUBJECT, "may_en": parse_text, "may_zh": parse_text}

_APPOINTMENTS_SQL = """
    SELECT p.subject, a.role, a.id AS appointment, o.name, coalesce(o.name_en, o.name) AS name_en
    FROM appointment a
    JOIN person p ON p.id = a.person_id
    JOIN organisation o ON o.id = a.organisation_id
    WHERE p.demo AND p.subject = ANY($1) AND a.state = 'in_force' AND o.state = 'open'
        AND a.valid_from <= registry_now() AND coalesce(a.valid_until > registry_now(), true)
    ORDER BY o.kind DESC, o.name
"""
_CLIENTS_SQL = """
    SELECT c.name AS subject, 'portal' AS role, o.name, coalesce(o.name_en, o.name) AS name_en
    FROM client c JOIN organisation o ON o.id = c.organisation_id
    WHERE c.demo AND c.name = ANY($1) AND c.state = 'open' AND o.kind = 'portal'
"""


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """A sign-in to print.

    Attributes:
        appointment: to be named in the request by a person who holds several; NIL of a program.
        client: the program that the token is made out to.
        purpose: the feature the person demonstrates.

    """

    role: str
    subject: str
    organisation: Text
    appointment: UUID
    client: str
    purpose: Text


async def demo_people() -> list[DemoPerson]:
    """The sign-ins of a loaded demonstration, in the order of ``sign_ins.csv``.

    The file serves all demonstrations: people who are not in this registry are left out. A person
    with several appointments has a line for each. Needs the database open.
    """
    listed = _read_sign_ins()
    found = await fetch_all(_APPOINTMENTS_SQL, list(listed)) + await fetch_all(
        _CLIENTS_SQL, list(listed)
    )
    order = list(listed)
    found.sort(key=lambda each: order.index(each["subject"]))
    return [
        DemoPerson(
            role=each["role"],
            subject=each["subject"],
            organisation=Text(each["name_en"], each["name"]),
            appointment=each.get("appointment", NIL),
            client=listed[each["subject"]][0],
            purpose=listed[each["subject"]][1],
        )
        for each in found
    ]


def _read_sign_ins() -> dict[str, tuple[str, Text]]:
    """Client and purpose of each sign-in, by its subject."""
    listed = {}
    for where, cells in read_rows(FOLDER / "sign_ins.csv", list(_COLUMNS)):
        subject, client, en, zh = (
            parse_cell(where, column, read, said)
            for (column, read), said in zip(_COLUMNS.items(), cells, strict=True)
        )
        listed[subject] = (client, Text(en, zh))
    return listed
