"""How reference data is read from rows: whole, short lists."""

from registry.reading.projections import Listed, Shown, of

NAME = of("name_zh")
DECIMALS = of("scale")

CITIES = Listed("division", "{t}.level = 'city'", "{t}.code")
COUNTIES = Listed(
    "division",
    "{t}.level = 'county' AND (:city::text = '' OR {t}.city = :city::text)",
    "{t}.code",
)
POLLUTANTS = Listed("pollutant", "true", "{t}.code")
RIVER_SYSTEMS = Listed("river_system", "true", "{t}.code")
INDUSTRIES = Listed("industry", "true", "{t}.code")

_DAY = "coalesce(:as_of::date, china_date(:now))"
PARAMETERS = Listed(
    "parameter",
    f"{{t}}.effective_from <= {_DAY} AND coalesce({{t}}.effective_until >= {_DAY}, true)",
    '{t}.name COLLATE "C", {t}.area COLLATE "C", {t}.pollutant COLLATE "C"',
)
AREA = Shown("NULLIF({t}.area, '')")
POLLUTANT = Shown("NULLIF({t}.pollutant, '')")
