"""How bodies are read from rows, when appointments and sanctions hold, what programs may send."""

from dataclasses import replace

from registry.commands.audit_log import STATE_AT
from registry.reading.projections import ColumnExpr, ToMany, column_or_null

COUNTY = replace(column_or_null("county"), is_plain=True)

_AT = "coalesce(:as_of::timestamptz, :now)"
_STATE = STATE_AT.sql.replace(":as_of", _AT)

# The founders' have no act of their own before their end: they were in force from the beginning.
IN_FORCE_AT = ColumnExpr(
    f"(coalesce({_STATE}, 'in_force') = 'in_force' AND {{t}}.valid_from <= {_AT}"
    f" AND coalesce({{t}}.valid_until > {_AT}, true))"
)
SANCTION_IN_FORCE = ColumnExpr(
    f"({{t}}.starts_at <= {_AT} AND coalesce({{t}}.ends_at > {_AT}, true)"
    f" AND coalesce({{t}}.lifted_at > {_AT}, true))"
)

PERSISTED_QUERIES = ToMany(
    "persisted_query",
    "{t}.client_id = {p}.id",
    "{t}.registered_at DESC, {t}.sha256",
    limit_argument="first",
)
TEXT_BYTES = ColumnExpr("octet_length({t}.text)")
