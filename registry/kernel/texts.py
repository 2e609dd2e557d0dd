"""Texts as people type and paste them: the form that is stored, and the form that is compared.

Pure. The tables are ours, so that no version of Python or Unicode decides what is accepted.
"""

import re
import unicodedata

from policies.vocabulary import Text

_VARIATION_SELECTORS = r"\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
"""They choose a shape of the character before them: stored, but not compared."""

_INVISIBLE = (
    r"\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800"
    r"\u3164\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
"""Default_Ignorable_Code_Point of Unicode, and the blank of Braille: nothing is seen of them."""

_BREAK = re.compile(r"\r\n|[\n\r\v\f\x85\u2028\u2029]")
_BLANKS = re.compile(r"[\t \xa0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_ANY_BLANKS = re.compile(r"[\t-\r \x85\u1680\u2028\u2029]+")
_IDLE_BLANK = re.compile(r" (?![0-9A-Z])|(?<![0-9A-Z]) ")
_DROPPED = re.compile(f"[{_INVISIBLE}]")
_NOT_COMPARED = re.compile(f"[{_INVISIBLE}{_VARIATION_SELECTORS}]")

_COMPARED_AS = str.maketrans(
    "abcdefghijklmnopqrstuvwxyz\u2010\u2012\u2013\u2014\u2015\u2212〔〕【】[]",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ------()()()",
)

_CONTROL = Text("a control character", "控制字符")
_NO_CHARACTER = Text("no character of Unicode", "非Unicode字符")
_PRIVATE = Text("a private-use character outside GB 18030", "GB 18030以外的专用字符")
_PLACEHOLDER = Text("a placeholder for what was lost", "内容丢失后的占位符")
_LINE_BREAK = Text("a line break, and this text has one line", "换行符，此项须为单行")
_REFUSED: tuple[tuple[int, int, Text], ...] = (
    # Tabs and line ends are blanks.
    (0x00, 0x08, _CONTROL),
    (0x0E, 0x1F, _CONTROL),
    (0x7F, 0x84, _CONTROL),
    (0x86, 0x9F, _CONTROL),
    (0xD800, 0xDFFF, _NO_CHARACTER),
    # GB 18030 assigns U+E000 to U+E864: its user-defined zones and what Unicode had not yet.
    (0xE865, 0xF8FF, _PRIVATE),
    (0xFDD0, 0xFDEF, _NO_CHARACTER),
    (0xFFF9, 0xFFFD, _PLACEHOLDER),
    (0xFFFE, 0xFFFF, _NO_CHARACTER),
    (0x1FFFE, 0x1FFFF, _NO_CHARACTER),
    (0x2FFFE, 0x2FFFF, _NO_CHARACTER),
    (0x3FFFE, 0xDFFFF, _NO_CHARACTER),
    (0xE1000, 0xEFFFF, _NO_CHARACTER),
    (0xF0000, 0x10FFFF, _PRIVATE),
)
"""No text holds them. All else is accepted: ideographs of every extension, of today or tomorrow."""

_REFUSED_CHARACTER = re.compile(
    "".join(["[", *(f"{chr(a)}-{chr(b)}" for a, b, _ in _REFUSED), "]"])
)


def clean_text(text: str) -> str:
    """The text with one kind of blank and line end, without indents and invisible marks."""
    lines = _BREAK.sub("\n", _DROPPED.sub("", text)).split("\n")
    return "\n".join(_BLANKS.sub(" ", line).strip(" ") for line in lines).strip("\n")


def is_clean_line(text: str) -> bool:
    """Whether a name is already as it would be stored."""
    return find_refused(text, multiline=False) is None and clean_text(text) == text


def comparison_form(text: str) -> str:
    """The form in which names and numbers are compared: two of one form are one.

    Width, case of ASCII letters, compatibility forms, kinds of dash and bracket, and invisible
    marks make no difference; a blank does only between two ASCII letters or digits. The SQL
    function of this name computes the same.
    """
    visible = unicodedata.normalize("NFKD", _NOT_COMPARED.sub("", text))
    alike = _ANY_BLANKS.sub(" ", visible.translate(_COMPARED_AS)).strip(" ")
    return _IDLE_BLANK.sub("", alike)


def find_refused(text: str, *, multiline: bool) -> tuple[int, Text] | None:
    """Place of the first character that a text may not hold, and the name of its fault."""
    if found := _REFUSED_CHARACTER.search(text):
        code = ord(found[0])
        return found.start(), next(why for a, b, why in _REFUSED if a <= code <= b)
    if multiline or "\n" not in clean_text(text):
        return None
    breaks = (found.start() for found in _BREAK.finditer(text))
    return next(place for place in breaks if clean_text(text[:place])), _LINE_BREAK
