"""How agreements, their parties and milestones are read from rows."""

from registry.agreements.rules import AgreementState
from registry.reading.projections import Led, Listed, Shown

STATE = Shown(
    f"CASE WHEN {{t}}.state = '{AgreementState.IN_FORCE}' AND {{t}}.valid_until < china_date(:now)"
    f" THEN '{AgreementState.EXPIRED}' ELSE {{t}}.state END"
)
"""As of today: what is in force past its last day has expired."""

PARTIES = Listed("agreement_party", "{t}.agreement_id = {p}.id", "{t}.position")
PARTY = Led("{t}.organisation_id")
SIGNED_BY = Led("{t}.signed_by")
MILESTONES = Listed("milestone", "{t}.agreement_id = {p}.id", "{t}.position")
MILESTONE_KEY = Shown("{t}.id", names="Milestone")
LINKS = Listed(
    "(SELECT l.value ->> 'kind' AS kind, (l.value ->> 'id')::uuid AS id, l.place"
    " FROM jsonb_array_elements({p}.links) WITH ORDINALITY AS l (value, place))",
    "true",
    "{t}.place",
    led=Led("{t}.id", kind="{t}.kind"),
)
