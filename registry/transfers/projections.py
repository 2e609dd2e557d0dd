"""How transfers and certificates are read from rows."""

from registry.kernel.state_machine import next_steps
from registry.reading.projections import Led, Listed, Shown, Within, of
from registry.transfers.facts import OVERDUE
from registry.transfers.rules import LIFE, State

STATE = Shown(f"CASE WHEN {OVERDUE} THEN '{State.EXPIRED}' ELSE {{t}}.state END")
"""As of now: what has passed its deadline has expired."""


def _steps_from(state: State) -> str:
    steps = ",".join(f'"{step}"' for step in next_steps(LIFE, state))
    return f" WHEN '{state}' THEN '[{steps}]'"


CROSSES = Shown("{t}.seller_city <> {t}.buyer_city")
NEXT_STEPS = Shown(
    f"CASE {STATE.sql}{''.join(_steps_from(state) for state in State)} END", json=True
)
INSTRUMENT = Led("{t}.instrument_id", to="Instrument")
QUANTITY = Shown("{t}.quantity", scale="{j}.scale", by=INSTRUMENT)
OPINIONS = Listed("transfer_opinion", "{t}.transfer_id = {p}.id", "{t}.given_at, {t}.id")
COMMENTS = Listed("transfer_comment", "{t}.transfer_id = {p}.id", "{t}.given_at, {t}.id")
FINDINGS = Listed("eligibility_finding", "{t}.transfer_id = {p}.id", "{t}.name")
FOUND = Within({"en": of("message_en"), "zh": of("message_zh")})
CERTIFICATE = Led("{t}.id", on="transfer_id")

CERTIFICATE_NUMBERED = Led(":number", on="number")
CERTIFIED_POLLUTANT = Led("{t}.pollutant", on="code", to="Pollutant")
CERTIFIED_QUANTITY = Shown("{t}.quantity", scale="{j}.scale", by=CERTIFIED_POLLUTANT)
REVOKED_AT = Shown("(SELECT e.known_at FROM entry e WHERE e.reverses = {t}.entry_id)")
"""Since when a certificate is void: its settlement was reversed."""
