"""Facts about organisations, people, appointments, sanctions and clients."""

from registry.access.kinds import Fact, Kind, state_predicate
from registry.parties.records import Appointment, Client, Organisation, Person, Sanction
from registry.parties.rules import AUTHORITIES

_AUTHORITIES = ", ".join(f"'{kind}'" for kind in sorted(AUTHORITIES))

# An empty division matches none, not even the empty county of a whole city's organisation.
INSIDE = Fact(
    check=lambda viewer, record: (
        viewer.division != "" and viewer.division in {record.city, record.county}
    ),
    where="(:division <> '' AND ({t}.city = :division OR {t}.county = :division))",
)
"""The object lies in the viewer's city or county; its columns are ``city`` and ``county``."""

OWN = Fact(
    check=lambda viewer, record: record.organisation_id == viewer.organisation,
    where="{t}.organisation_id = :organisation",
)
"""The object belongs to the viewer's organisation; its column is ``organisation_id``."""

SUBMITTER = Fact(
    check=lambda viewer, record: record.submitted_by == viewer.person,
    where="{t}.submitted_by = :person",
)
"""The viewer submitted the object; its column is ``submitted_by``."""

SAME_ORGANISATION_AS_SUBMITTER = Fact(
    check=lambda viewer, record: record.submitting_organisation == viewer.organisation,
    where="{t}.submitting_organisation = :organisation",
)
"""The viewer's organisation submitted the object; its column is ``submitting_organisation``."""

ALREADY_SIGNED = Fact(
    check=lambda viewer, record: viewer.person in record.signatories,
    where=":person = ANY ({t}.signatories)",
)
"""The viewer signed the object before; its column is ``signatories``."""

_NOT_OFFICIAL = Fact(
    check=lambda _, record: record.side != "official",
    where="{t}.side <> 'official'",
    viewer_independent=True,
)
_APPOINTED_EXTERNALLY = Fact(
    check=lambda _, record: record.appointed_externally,
    where="{t}.appointed_externally",
    viewer_independent=True,
)

ORGANISATION = Kind(
    name="Organisation",
    record=Organisation,
    facts={
        "own": Fact(
            check=lambda viewer, record: record.id == viewer.organisation,
            where="{t}.id = :organisation",
        ),
        "inside": INSIDE,
        "may_register_kind": Fact(
            check=lambda _, record: record.kind not in AUTHORITIES,
            where=f"{{t}}.kind NOT IN ({_AUTHORITIES})",
            viewer_independent=True,
        ),
        "stage_open": state_predicate("open"),
    },
    # The credit code is on the public card: the Permit Regulation makes permits public, and a
    # permit's number begins with its holder's code (HJ 608-2017 annex A).
    organisation_columns=("id",),
    masks={"view_details": ("installed_mw", "two_representatives")},
)

PERSON = Kind(
    name="Person",
    record=Person,
    facts={
        "person_of_own": OWN,
        "self": Fact(
            check=lambda viewer, record: record.id == viewer.person, where="{t}.id = :person"
        ),
        "first_of_organisation": _APPOINTED_EXTERNALLY,
        "may_register_kind": _NOT_OFFICIAL,
    },
    organisation_columns=("organisation_id",),
)

APPOINTMENT = Kind(
    name="Appointment",
    record=Appointment,
    facts={
        "own": OWN,
        "self": Fact(
            check=lambda viewer, record: record.person_id == viewer.person,
            where="{t}.person_id = :person",
        ),
        "first_of_organisation": _APPOINTED_EXTERNALLY,
        "may_register_kind": _NOT_OFFICIAL,
        "submitter": SUBMITTER,
        "already_acted": ALREADY_SIGNED,
        "stage_proposed": state_predicate("proposed"),
        "stage_in_force": state_predicate("in_force"),
    },
    organisation_columns=("organisation_id",),
)

SANCTION = Kind(
    name="Sanction",
    record=Sanction,
    facts={
        "own": OWN,
        "inside": INSIDE,
        "same_body_as_submitter": SAME_ORGANISATION_AS_SUBMITTER,
        "stage_in_force": state_predicate("in_force"),
    },
    organisation_columns=("organisation_id",),
)

CLIENT = Kind(
    name="Client",
    record=Client,
    facts={"own": OWN, "stage_open": state_predicate("open")},
    organisation_columns=("organisation_id",),
)
