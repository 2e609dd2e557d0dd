"""How reference data is read from rows: whole, short lists."""

from registry.reading.projections import ToMany, ToOne, bilingual, column_expr, localised_column

NAME = column_expr("name_zh")
DECIMALS = column_expr("scale")

CITIES = ToMany("division", "{t}.level = 'city'", "{t}.code")
COUNTIES = ToMany(
    "division",
    "{t}.level = 'county' AND (:city::text = '' OR {t}.city = :city::text)",
    "{t}.code",
)
POLLUTANTS = ToMany("pollutant", "true", "{t}.code")
RIVER_SYSTEMS = ToMany("river_system", "true", "{t}.code")
INDUSTRIES = ToMany("industry", "true", "{t}.code")

_DAY = "coalesce(:as_of::date, china_date(:now))"
PARAMETERS = ToMany(
    "parameter_figure",
    f"{{t}}.effective_from <= {_DAY} AND coalesce({{t}}.effective_until >= {_DAY}, true)",
    '{t}.name COLLATE "C", {t}.area COLLATE "C", {t}.pollutant COLLATE "C"',
)
CONFIRMED_PARAMETER = ToOne("{t}.parameter_id")
CONFIRMATION_CAPTION = bilingual(
    "{j}.name || ': ' || {t}.document_number",
    "{t}.document_number",
    via=ToOne("{t}.parameter_id", target_type="Parameter"),
)
LEGAL_BASIS = localised_column("legal_basis")
AREA = ToOne("{t}.area", target_column="code")
POLLUTANT = ToOne("{t}.pollutant", target_column="code")
