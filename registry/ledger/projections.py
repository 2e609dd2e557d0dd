"""How accounts, instruments and reversals are read from rows."""

from registry.ledger.rules import MONEY_INSTRUMENT, FreezeState
from registry.reading.projections import (
    ColumnExpr,
    OptionalRow,
    ToMany,
    ToOne,
    bilingual,
    state_until,
    word_cases,
)

_MONEY = f"'{MONEY_INSTRUMENT}'"

# Balances now, or at a moment on either clock.
_POSITIONS = """(
    SELECT b.instrument_id,
        CASE
            WHEN :as_of::timestamptz IS NULL THEN b.quantity
            WHEN :effective::boolean
                THEN balance_as_effective({p}.id, b.instrument_id, :as_of::timestamptz, :now)
            ELSE balance_as_recorded({p}.id, b.instrument_id, :as_of::timestamptz)
        END AS quantity,
        EXISTS (
            SELECT FROM freeze_order f
            WHERE f.organisation_id = {p}.organisation_id AND f.lifted_at IS NULL
                AND f.starts_at <= :now AND (f.ends_at IS NULL OR f.ends_at > :now)
                AND (f.account_id IS NULL OR f.account_id = {p}.id)
                AND (f.instrument_id IS NULL OR f.instrument_id = b.instrument_id)
        ) AS frozen
    FROM balance b
    WHERE b.account_id = {p}.id
)"""
_WITH_INSTRUMENT = " JOIN instrument AS {t}i ON {t}i.id = {t}.instrument_id"

_LINES = """(
    SELECT l.*, e.kind, e.note, e.source, e.demo, i.scale
    FROM (
        SELECT entry_id, target_sequence AS sequence, quantity AS change,
            target_balance AS balance, recorded_at, effective_at
        FROM posting
        WHERE target = {p}.id AND instrument = :instrument AND recorded_at >= :since
            AND recorded_at < :until AND target_sequence > greatest(:after_sequence::bigint, 0)
        UNION ALL
        SELECT entry_id, source_sequence, -quantity, source_balance, recorded_at, effective_at
        FROM posting
        WHERE source = {p}.id AND instrument = :instrument AND recorded_at >= :since
            AND recorded_at < :until AND source_sequence > greatest(:after_sequence::bigint, 0)
    ) l
    JOIN entry e ON e.id = l.entry_id
    JOIN instrument i ON i.id = :instrument
)"""

_RESERVES = """(
    SELECT a.organisation_id, a.city, b.instrument_id, b.quantity
    FROM account a
    JOIN balance b ON b.account_id = a.id
    WHERE a.kind = 'reserve'
)"""

BALANCES = ToMany(
    _POSITIONS,
    f"{{t}}.quantity <> 0 AND {{t}}.instrument_id <> {_MONEY}",
    '{t}i.code COLLATE "C"',
    joins=_WITH_INSTRUMENT,
)
MONEY_BALANCE = OptionalRow(
    _POSITIONS,
    f"{{t}}.quantity <> 0 AND {{t}}.instrument_id = {_MONEY}",
    joins=_WITH_INSTRUMENT,
)
STATEMENT = ToMany(
    _LINES,
    f":instrument <> {_MONEY} OR {{may view_money}}",
    "{t}.sequence",
    limit_argument="first",
)

POSITION_INSTRUMENT = ToOne("{t}.instrument_id", joined_alias="{t}i")
QUANTITY = ColumnExpr("{t}.quantity", scale="{t}i.scale")
CHANGE = ColumnExpr("{t}.change", scale="{t}.scale")
BALANCE = ColumnExpr("{t}.balance", scale="{t}.scale")
ENTRY = ColumnExpr("{t}.entry_id", id_kind="Entry")
HOLDER = ToOne("{t}.organisation_id")

INSTRUMENT_KEY = ColumnExpr("{t}.id", id_kind="Instrument")
POLLUTANT = ToOne("{t}.pollutant", target_column="code")

POSTINGS = ToMany("posting", "{t}.entry_id = {p}.entry_id", "{t}.line")
SOURCE, TARGET = (
    ColumnExpr("{t}.source", id_kind="Account"),
    ColumnExpr("{t}.target", id_kind="Account"),
)
POSTING_INSTRUMENT = ToOne("{t}.instrument", target_type="Instrument")
POSTING_QUANTITY = ColumnExpr("{t}.quantity", scale="{j}.scale", via=POSTING_INSTRUMENT)

FREEZE_STATE = state_until("ends_at", FreezeState.EXPIRED)

_OF_ORGANISATION = ToOne("{t}.organisation_id", target_type="Organisation")
_KINDS = {
    "holding": ("Holding account", "持有账户"),
    "escrow": ("Escrow account", "交割账户"),
    "reserve": ("Reserve account", "储备账户"),
    "issuance": ("Issuance account", "核发账户"),
    "outside": ("Outside account", "场外资金账户"),
}
ACCOUNT_CAPTION = bilingual(
    word_cases("{t}.kind", {kind: en for kind, (en, _) in _KINDS.items()})
    + " || coalesce(', ' || {j}.name, '')",
    "coalesce({j}.name, '') || "
    + word_cases("{t}.kind", {kind: zh for kind, (_, zh) in _KINDS.items()}),
    via=_OF_ORGANISATION,
)
FREEZE_CAPTION = bilingual("'Freeze, ' || {j}.name", "'冻结：' || {j}.name", via=_OF_ORGANISATION)


def reserve_totals() -> ToMany:
    """The stock of each reserve and instrument; a stock that no source gives is missing, not zero.

    Rule: 冀政办字〔2022〕3号 (台账); registry rule for publishing.

    """
    return ToMany(_RESERVES, "true", '{t}.city, {t}i.code COLLATE "C"', joins=_WITH_INSTRUMENT)
