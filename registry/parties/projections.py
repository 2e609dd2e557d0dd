"""How bodies are read from rows, when appointments and sanctions hold, what programs may send."""

from dataclasses import replace

from registry.commands.audit_log import STATE_AT
from registry.reading.projections import Listed, Shown, absent

COUNTY = replace(absent("county"), plain=True)

_AT = "coalesce(:as_of::timestamptz, :now)"
_STATE = STATE_AT.sql.replace(":as_of", _AT)

# The founders' have no act of their own before their end: they were in force from the beginning.
HOLDS_AT = Shown(
    f"(coalesce({_STATE}, 'in_force') = 'in_force' AND {{t}}.valid_from <= {_AT}"
    f" AND coalesce({{t}}.valid_until > {_AT}, true))"
)
BARS = Shown(
    "({t}.state = 'in_force' AND {t}.starts_at <= :now AND coalesce({t}.ends_at > :now, true))"
)

DOCUMENTS = Listed(
    "client_document",
    "{t}.client_id = {p}.id",
    "{t}.registered_at DESC, {t}.sha256",
    most="first",
)
BYTES = Shown("octet_length({t}.text)")
