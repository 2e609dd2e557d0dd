"""How transfers and certificates are read from rows."""

from registry.kernel.state_machine import allowed_steps
from registry.reading.enum_names import enum_name
from registry.reading.projections import (
    ColumnExpr,
    EmbeddedObject,
    ToMany,
    ToOne,
    bilingual,
    column_expr,
    localised_column,
)
from registry.transfers.facts import OVERDUE_SQL
from registry.transfers.rules import TRANSITIONS, State

STATE = ColumnExpr(f"CASE WHEN {OVERDUE_SQL} THEN '{State.EXPIRED}' ELSE {{t}}.state END")
"""As of now: what has passed its deadline has expired."""


def _steps_from(state: State) -> str:
    steps = ",".join(f'"{enum_name(step)}"' for step in allowed_steps(TRANSITIONS, state))
    return f" WHEN '{state}' THEN '[{steps}]'"


IS_CROSS_CITY = ColumnExpr("{t}.seller_city <> {t}.buyer_city")
NEXT_STEPS = ColumnExpr(
    f"CASE {STATE.sql}{''.join(_steps_from(state) for state in State)} END", is_json=True
)
INSTRUMENT = ToOne("{t}.instrument_id", target_type="Instrument")
QUANTITY = ColumnExpr("{t}.quantity", scale="{j}.scale", via=INSTRUMENT)
OPINIONS = ToMany("transfer_opinion", "{t}.transfer_id = {p}.id", "{t}.given_at, {t}.id")
COMMENTS = ToMany("transfer_comment", "{t}.transfer_id = {p}.id", "{t}.given_at, {t}.id")
FINDINGS = ToMany("eligibility_finding", "{t}.transfer_id = {p}.id", "{t}.name")
FINDING_LEGAL_BASIS, FINDING_SOURCE = localised_column("legal_basis"), localised_column("source")
FINDING_MESSAGE = EmbeddedObject({"en": column_expr("message_en"), "zh": column_expr("message_zh")})
CERTIFICATE = ToOne("{t}.id", target_column="transfer_id")

CERTIFICATE_BY_NUMBER = ToOne(":number", target_column="number")
CERTIFIED_POLLUTANT = ToOne("{t}.pollutant", target_column="code", target_type="Pollutant")
CERTIFIED_QUANTITY = ColumnExpr("{t}.quantity", scale="{j}.scale", via=CERTIFIED_POLLUTANT)
CERTIFICATE_TITLE = bilingual(
    "'Certificate of trade in main pollutant emission rights of Hebei'::text",
    "'河北省主要污染物排放权交易鉴证书'::text",
)
CERTIFICATE_ISSUER = ToOne(
    "(SELECT a.organisation_id FROM entry e JOIN audit_entry a ON a.id = e.audit_entry_id"
    " WHERE e.id = {t}.entry_id)",
    target_type="Organisation",
)
"""The organisation that settled the transfer: the exchange, or the centre where there is none."""
REVOKED_AT = ColumnExpr("(SELECT e.recorded_at FROM entry e WHERE e.reverses = {t}.entry_id)")
"""Since when a certificate is void: its settlement was reversed."""
