"""A value of the database as the text of a JSON value: one expression for each form.

Concatenated texts are several times as quick as PostgreSQL's own JSON functions. All that the
connection shows of moments and days depends on ``database.SESSION``.
"""

from datetime import date, datetime

from registry.reading.catalog import ScalarFormat
from registry.reading.enum_names import enum_name_expr
from registry.reading.projections import ColumnExpr
from registry.reading.sql_text import SqlConcat, quote_literal

JSON_NULL = "'null'"

_URL_SAFE = r"E'+/=\n', '-_'"
_KEY_LENGTH = 36
_MAX_KIND_LENGTH = 20
"""With a colon and a key: as long as base64 writes without a break."""


def json_expr(projection: ColumnExpr, scalar_format: ScalarFormat, *, required: bool) -> str:
    """The expression of a JSON value."""
    if projection.is_json:
        return f"({projection.sql})"
    scalar_format = (
        ScalarFormat.PLAIN
        if projection.is_plain and scalar_format is ScalarFormat.TEXT
        else scalar_format
    )
    text = (
        _node_id_expr(projection)
        if scalar_format is ScalarFormat.IDENTIFIER
        else _scalar_expr(projection.sql, projection.scale, scalar_format)
    )
    return text if required else f"coalesce({text}, {JSON_NULL})"


def base64url(text: str) -> str:
    """The expression of a text as base64 for addresses, without padding or breaks."""
    return f"translate(encode(convert_to({text}, 'UTF8'), 'base64'), {_URL_SAFE})"


def cursor_expr(list_order: str, key_type: type[object], key: str, id: str) -> str:
    """The expression of a cursor as ``encode_cursor`` writes it, of a key of the Python type."""
    if issubclass(key_type, datetime):
        moment = f"""to_char({key} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')"""
        text = f"'\"' || {moment} || '+00:00\"'"
    elif issubclass(key_type, date):
        text = f"'\"' || {key}::text || '\"'"
    else:
        text = f"to_json({key})::text"
    named = quote_literal(f'["{list_order}", ')
    place = f"{named} || {text} || ', \"' || {id} || '\"]'"
    return SqlConcat.of(("'\"'", base64url(place), "'\"'"))


def _node_id_expr(projection: ColumnExpr) -> str:
    if projection.id_kind.isalpha() and len(projection.id_kind) <= _MAX_KIND_LENGTH:
        # Kinds and keys have no bytes that are written as + or /, nor a backslash, which the cast
        # would read: it takes half the time of a conversion.
        prefix = quote_literal(f"{projection.id_kind}:")
        text = f"encode(({prefix} || ({projection.sql}))::bytea, 'base64')"
        if (len(projection.id_kind) + 1 + _KEY_LENGTH) % 3:
            text = f"rtrim({text}, '=')"
    else:
        kind = (
            quote_literal(f"{projection.id_kind}:")
            if projection.id_kind.isalpha()
            else f"{projection.id_kind} || ':'"
        )
        text = base64url(f"{kind} || ({projection.sql})")
    return SqlConcat.of(("'\"'", text, "'\"'"))


def _scalar_expr(sql: str, scale: str, scalar_format: ScalarFormat) -> str:
    match scalar_format:
        case ScalarFormat.TEXT | ScalarFormat.DATETIME:
            return f"to_json({sql})::text"
        case ScalarFormat.TEXT_LIST:
            return f"array_to_json({sql})::text"
        case ScalarFormat.NUMBER | ScalarFormat.BOOLEAN:
            return f"({sql})::text"
    return SqlConcat.of(("'\"'", _unescaped_expr(sql, scale, scalar_format), "'\"'"))


def _unescaped_expr(sql: str, scale: str, scalar_format: ScalarFormat) -> str:
    """The expression of a text in which nothing needs an escape."""
    match scalar_format:
        case ScalarFormat.ENUM:
            return enum_name_expr(sql)
        case ScalarFormat.MONEY:
            return f"(({sql}) * 0.01)::text"
        case ScalarFormat.QUANTITY:
            return _decimal_expr(sql, scale)
    return f"({sql})"


def _decimal_expr(units: str, scale: str) -> str:
    """Base units as a decimal; the scales that there are at their quickest."""
    return (
        f"CASE {scale} WHEN 3 THEN (({units}) * 0.001)::text WHEN 0 THEN ({units})::text"
        f" ELSE round(({units}) / (10::numeric ^ {scale}), {scale})::text END"
    )
