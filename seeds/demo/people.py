"""The sign-ins of a demonstration: invented people only, at least one for each role."""

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
        appointment: a person with several names this one in the request; NIL for a program.
        client: the client program that the token names.
        purpose: the reason to sign in as this person.

    """

    role: str
    subject: str
    organisation: Text
    appointment: UUID
    client: str
    purpose: Text


async def demo_people() -> list[DemoPerson]:
    """The sign-ins of a loaded demonstration, in the order of ``sign_ins.csv``.

    The file serves all demonstrations; people who are not in this registry are left out. A person
    with several appointments is listed once for each. The database must be open.
    """
    sign_ins = _read_sign_ins()
    order = list(sign_ins)
    rows = [*await fetch_all(_APPOINTMENTS_SQL, order), *await fetch_all(_CLIENTS_SQL, order)]
    rows.sort(key=lambda row: order.index(row["subject"]))
    return [
        DemoPerson(
            role=row["role"],
            subject=row["subject"],
            organisation=Text(row["name_en"], row["name"]),
            appointment=row.get("appointment", NIL),
            client=sign_ins[row["subject"]][0],
            purpose=sign_ins[row["subject"]][1],
        )
        for row in rows
    ]


def _read_sign_ins() -> dict[str, tuple[str, Text]]:
    """Client and purpose of each sign-in, by its subject."""
    sign_ins = {}
    for location, cells in read_rows(FOLDER / "sign_ins.csv", list(_COLUMNS)):
        subject, client, en, zh = (
            parse_cell(location, column, parse, cell)
            for (column, parse), cell in zip(_COLUMNS.items(), cells, strict=True)
        )
        sign_ins[subject] = (client, Text(en, zh))
    return sign_ins
