"""How agreements, their parties and milestones are read from rows."""

from registry.agreements.rules import AgreementState
from registry.reading.projections import ColumnExpr, ToMany, ToOne

STATE = ColumnExpr(
    f"CASE WHEN {{t}}.state = '{AgreementState.IN_FORCE}' AND {{t}}.valid_until < china_date(:now)"
    f" THEN '{AgreementState.EXPIRED}' ELSE {{t}}.state END"
)
"""As of today: what is in force past its last day has expired."""

PARTIES = ToMany("agreement_party", "{t}.agreement_id = {p}.id", "{t}.position")
PARTY = ToOne("{t}.organisation_id")
SIGNED_BY = ToOne("{t}.signed_by")
MILESTONES = ToMany("milestone", "{t}.agreement_id = {p}.id", "{t}.position")
MILESTONE_KEY = ColumnExpr("{t}.id", id_kind="Milestone")
LINKS = ToMany(
    "(SELECT l.value ->> 'kind' AS kind, (l.value ->> 'id')::uuid AS id, l.place"
    " FROM jsonb_array_elements({p}.links) WITH ORDINALITY AS l (value, place))",
    "true",
    "{t}.place",
    relation=ToOne("{t}.id", kind="{t}.kind"),
)
