"""How permits, projects and assessments are read from rows."""

from registry.reading.projections import ColumnExpr, ToMany, ToOne, bilingual, word_cases

_DAY = "coalesce(:as_of::date, china_date(:now))"

LIMITS = ToMany(
    "permit_limit",
    f"{{t}}.permit_id = {{p}}.id AND {{t}}.effective_from <= {_DAY}"
    f" AND coalesce({{t}}.effective_until >= {_DAY}, true)",
    '{t}.pollutant COLLATE "C"',
)
OUTLETS = ToMany("outlet", "{t}.permit_id = {p}.id", "{t}.code")
DEMANDS = ToMany(
    "project_demand", "{t}.project_id = {p}.id AND {t}.superseded_at IS NULL", "{t}.pollutant"
)
IN_FORCE = ColumnExpr(
    f"({{t}}.valid_from <= {_DAY} AND {{t}}.valid_until >= {_DAY}"
    f" AND coalesce({{t}}.revoked_on > {_DAY}, true))"
)
ISSUED_BY = ToOne("{t}.issued_by", target_column="code")
DIVISION = ToOne("{t}.division", target_column="code")
CITY = ToOne("{t}.city", target_column="code")
POLLUTANT = ToOne("{t}.pollutant", target_column="code", target_type="Pollutant")
RIVER_SYSTEM = ToOne("{t}.river_system", target_column="code")
QUANTITY = ColumnExpr("{t}.quantity", scale="{j}.scale", via=POLLUTANT)

_MEDIUM_EN, _MEDIUM_ZH = (
    word_cases("{t}.medium", {"air": air, "water": water})
    for air, water in (("air", "water"), ("大气", "水"))
)
ASSESSMENT_CAPTION = bilingual(
    "{j}.name_en || ', ' || {t}.year || ', ' || " + _MEDIUM_EN,
    "{j}.name_zh || {t}.year || '年' || " + _MEDIUM_ZH + " || '环境质量考核'",
    via=ToOne("{t}.city", target_column="code", target_type="Division"),
)
