"""A value of the database as the text of a JSON value: one expression for each form.

Concatenated texts are several times as quick as PostgreSQL's own JSON functions. What the
connection shows of moments and days depends on ``database.SESSION``.
"""

from datetime import date, datetime

from registry.reading.catalog import Form
from registry.reading.projections import Shown
from registry.reading.sql_text import Joined, quoted

NULL = "'null'"

_URL_SAFE = r"E'+/=\n', '-_'"
_KEY_LENGTH = 36
_KIND_LENGTH_MAX = 20
"""With a colon and a key: as long as base64 writes without a break."""


def shown(face: Shown, form: Form, *, required: bool) -> str:
    """The expression of a JSON value.

    Args:
        face: how it is declared, its holes filled.
        form: how it is shown.
        required: it is never NULL.

    """
    if face.json:
        return f"({face.sql})"
    form = Form.WORD if face.plain and form is Form.TEXT else form
    text = _identifier(face) if form is Form.IDENTIFIER else _shown(face.sql, face.scale, form)
    return text if required else f"coalesce({text}, {NULL})"


def url_safe(text: str) -> str:
    """The expression of a text as base64 for addresses, without padding or breaks."""
    return f"translate(encode(convert_to({text}, 'UTF8'), 'base64'), {_URL_SAFE})"


def cursor(type: type[object], key: str, id: str) -> str:
    """The expression of a cursor as ``pages.cursor_of`` writes it, of a key of the Python type."""
    if issubclass(type, datetime):
        moment = f"""to_char({key} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')"""
        text = f"'\"' || {moment} || '+00:00\"'"
    elif issubclass(type, date):
        text = f"'\"' || {key}::text || '\"'"
    else:
        text = f"to_json({key})::text"
    place = f"'[' || {text} || ', \"' || {id} || '\"]'"
    return Joined.of(("'\"'", url_safe(place), "'\"'"))


def _identifier(face: Shown) -> str:
    if face.names.isalpha() and len(face.names) <= _KIND_LENGTH_MAX:
        # Kinds and keys have no bytes that are written as + or /, nor a backslash, which the cast
        # would read: it takes half the time of a conversion.
        text = f"encode(({quoted(f'{face.names}:')} || ({face.sql}))::bytea, 'base64')"
        if (len(face.names) + 1 + _KEY_LENGTH) % 3:
            text = f"rtrim({text}, '=')"
    else:
        kind = quoted(f"{face.names}:") if face.names.isalpha() else f"{face.names} || ':'"
        text = url_safe(f"{kind} || ({face.sql})")
    return Joined.of(("'\"'", text, "'\"'"))


def _shown(sql: str, scale: str, form: Form) -> str:
    match form:
        case Form.TEXT | Form.INSTANT:
            return f"to_json({sql})::text"
        case Form.WORD | Form.DAY:
            return Joined.of(("'\"'", f"({sql})", "'\"'"))
        case Form.TEXTS:
            return f"array_to_json({sql})::text"
        case Form.MONEY:
            return Joined.of(("'\"'", f"(({sql}) * 0.01)::text", "'\"'"))
        case Form.QUANTITY:
            return Joined.of(("'\"'", _decimal(sql, scale), "'\"'"))
    return f"({sql})::text"


def _decimal(units: str, scale: str) -> str:
    """Base units as a decimal; the scales that there are at their quickest."""
    return (
        f"CASE {scale} WHEN 3 THEN (({units}) * 0.001)::text WHEN 0 THEN ({units})::text"
        f" ELSE round(({units}) / (10::numeric ^ {scale}), {scale})::text END"
    )
