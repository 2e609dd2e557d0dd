"""How permits, projects and assessments are read from rows."""

from registry.reading.projections import Led, Listed, Shown

_DAY = "coalesce(:as_of::date, china_date(:now))"
_TODAY = "china_date(:now)"

LIMITS = Listed(
    "permit_limit",
    f"{{t}}.permit_id = {{p}}.id AND {{t}}.effective_from <= {_DAY}"
    f" AND coalesce({{t}}.effective_until >= {_DAY}, true)",
    '{t}.pollutant COLLATE "C"',
)
OUTLETS = Listed("outlet", "{t}.permit_id = {p}.id", "{t}.code")
DEMANDS = Listed(
    "project_demand", "{t}.project_id = {p}.id AND {t}.superseded_at IS NULL", "{t}.pollutant"
)
IN_FORCE = Shown(
    f"({{t}}.valid_from <= {_TODAY} AND {{t}}.valid_until >= {_TODAY}"
    f" AND coalesce({{t}}.revoked_on > {_TODAY}, true))"
)
ISSUED_BY = Led("{t}.issued_by", on="code")
DIVISION = Led("{t}.division", on="code")
CITY = Led("{t}.city", on="code")
POLLUTANT = Led("{t}.pollutant", on="code", to="Pollutant")
RIVER_SYSTEM = Led("{t}.river_system", on="code")
QUANTITY = Shown("{t}.quantity", scale="{j}.scale", by=POLLUTANT)
