"""How bodies are read from rows, when appointments and sanctions hold, what programs may send."""

from policies.vocabulary import VOCABULARY
from registry.commands.audit_log import STATE_AT
from registry.parties.rules import AppointmentState, SanctionState
from registry.reading.projections import (
    ColumnExpr,
    ToMany,
    ToOne,
    bilingual,
    state_until,
    word_cases,
)

_AT = "coalesce(:as_of::timestamptz, :now)"
_STATE = STATE_AT.sql.replace(":as_of", _AT)

# The first officers' have no act of their own before their end: they were in force at once.
IN_FORCE_AT = ColumnExpr(
    f"(coalesce({_STATE}, 'in_force') = 'in_force' AND {{t}}.valid_from <= {_AT}"
    f" AND coalesce({{t}}.valid_until > {_AT}, true))"
)
APPOINTMENT_STATE = state_until("valid_until", AppointmentState.ENDED)
SANCTION_STATE = state_until("ends_at", SanctionState.EXPIRED)
SANCTION_IN_FORCE = ColumnExpr(
    f"({{t}}.starts_at <= {_AT} AND coalesce({{t}}.ends_at > {_AT}, true)"
    f" AND coalesce({{t}}.lifted_at > {_AT}, true))"
)

OWN_APPOINTMENTS = ToMany(
    "appointment",
    "{t}.person_id = (SELECT p.id FROM person p WHERE p.subject = :subject)"
    " AND {t}.state = 'in_force' AND {t}.valid_from <= :now"
    " AND coalesce({t}.valid_until > :now, true)"
    " AND EXISTS ("
    "SELECT FROM organisation o WHERE o.id = {t}.organisation_id AND o.state = 'open')",
    "{t}.role, {t}.id",
    limit_argument="first",
)
"""Those between which a person chooses: see ``AppointmentRecord.is_in_force``."""

SCOPES = ToMany(
    "(SELECT word, n, split_part(word, ':', 1) AS kind, split_part(word, ':', 2) AS verb"
    " FROM unnest({p}.scopes) WITH ORDINALITY AS scope (word, n))",
    "true",
    "{t}.n",
)
PERSISTED_QUERIES = ToMany(
    "persisted_query",
    "{t}.client_id = {p}.id",
    "{t}.registered_at DESC, {t}.sha256",
    limit_argument="first",
)
TEXT_BYTES = ColumnExpr("octet_length({t}.text)")

_OF_ORGANISATION = ToOne("{t}.organisation_id", target_type="Organisation")
_ROLES = VOCABULARY.roles.items()
APPOINTMENT_CAPTION = bilingual(
    word_cases("{t}.role", {role: text.en for role, text in _ROLES}) + " || ', ' || {j}.name",
    "{j}.name || " + word_cases("{t}.role", {role: text.zh for role, text in _ROLES}),
    via=_OF_ORGANISATION,
)
SANCTION_CAPTION = bilingual(
    "'Sanction, ' || {j}.name", "'限制交易情形：' || {j}.name", via=_OF_ORGANISATION
)
