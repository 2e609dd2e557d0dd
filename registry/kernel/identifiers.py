"""Identifiers that the law or a standard gives: form and check digits. Pure: asks no register.

Each function answers the identifier in its normal form or refuses it, naming field and rule.
"""

import re
import unicodedata
from typing import NewType

from registry.kernel.errors import Malformed

Sha256 = NewType("Sha256", str)
"""The digest of a file, 64 lower-case hexadecimal digits."""

_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_PREFIX_LENGTH = 17
_CREDIT_LENGTH = 18
_WEIGHTS = tuple(pow(3, place, 31) for place in range(_CREDIT_PREFIX_LENGTH))

_CREDIT = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}", re.ASCII)
_WITHOUT_CREDIT = re.compile(r"H9[0-9]{6}0000[0-9]{5}[A-Z]", re.ASCII)
_PERMIT = re.compile(r"([0-9A-Z]{18})([0-9]{3})([A-Z])", re.ASCII)
_DIVISION = re.compile(r"[1-9][0-9]{5}", re.ASCII)
_OUTLET = re.compile(r"(DA|DW)(?!000)[0-9]{3}", re.ASCII)
_BANK_REFERENCE = re.compile(r"[0-9A-Z](?:[0-9A-Z-]{4,38})[0-9A-Z]", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MAX_IDENTIFIER_LENGTH = 80

REASON_LENGTH_MAX = 2000
"""Maximum number of characters of a reason, note, opinion or comment."""

SOURCE_LENGTH_MAX = 500
"""Maximum number of characters of a source."""


def check_credit_code(text: str, field: str) -> str:
    """The unified social credit code (统一社会信用代码): 18 characters, upper case.

    Raises:
        Malformed: wrong length or alphabet (no I, O, S, V, Z), places 3-8 not digits, or wrong
            check digit.

    Rule: GB 32100-2015.

    """
    code = _normalize(text)
    if not _CREDIT.fullmatch(code):
        raise Malformed(
            field,
            "A unified social credit code has 18 characters: digits and capital letters without"
            " I, O, S, V, Z; the third to the eighth are digits.",
            "统一社会信用代码为18位数字或大写字母(不含I、O、S、V、Z),第3至8位为数字。",
        )
    if credit_check_digit(code[:_CREDIT_PREFIX_LENGTH]) != code[_CREDIT_PREFIX_LENGTH]:
        raise Malformed(
            field,
            "The check digit of the unified social credit code is wrong; look for a mistyped one.",
            "统一社会信用代码校验码不符,请核对输入。",
        )
    return code


def credit_check_digit(prefix: str) -> str:
    """The 18th character that belongs to the first 17 of a unified social credit code.

    Rule: GB 32100-2015: weights 3^(place-1) mod 31.
    """
    total = sum(
        _CREDIT_ALPHABET.index(character) * weight
        for character, weight in zip(prefix, _WEIGHTS, strict=True)
    )
    return _CREDIT_ALPHABET[-total % 31]


def check_permit_number(text: str, field: str) -> str:
    """The number of a discharge permit (排污许可证编号): 22 characters, upper case.

    The first 18 are the holder's credit code or, for a body without one, ``H9``, area, ``0000``,
    sequence and a letter; then three digits for the site and the mark ``P``.

    Raises:
        Malformed: wrong form, a wrong credit code, or a mark other than ``P`` (W, X, Y, Z are
            registration receipts).

    Rule: HJ 608-2017 annex A.

    """
    number = _normalize(text)
    found = _PERMIT.fullmatch(number)
    if found is None:
        raise Malformed(
            field,
            "A permit number has 22 characters: 18 for the body, three digits for the site, and P.",
            "排污许可证编号为22位:18位单位代码、3位顺序号和标识P。",
        )
    body, mark = found[1], found[3]
    if mark != "P":
        raise Malformed(
            field,
            f"The mark {mark} is not that of a discharge permit, which ends in P.",
            f"标识{mark}不是排污许可证,排污许可证编号以P结尾。",
        )
    if not _WITHOUT_CREDIT.fullmatch(body):
        check_credit_code(body, field)
    return number


def permit_holder(number: str) -> str:
    """The 18 characters of a checked permit number that stand for its holder."""
    return number[:_CREDIT_LENGTH]


def check_division(text: str, field: str) -> str:
    """An administrative code (行政区划代码) of six digits; ``divisions.place`` asks if it exists.

    Rule: GB/T 2260.

    """
    return _require_match(
        _DIVISION,
        _normalize(text),
        field,
        "A division code has six digits and does not begin with 0.",
        "行政区划代码为6位数字,首位不为0。",
    )


def check_outlet(text: str, field: str) -> str:
    """The code of an outlet (排放口编号): ``DA001`` for air, ``DW001`` for water, upper case.

    Rule: HJ 608-2017 annex A.

    """
    return _require_match(
        _OUTLET,
        _normalize(text),
        field,
        "An outlet code is DA (air) or DW (water) with a number from 001 to 999.",
        "排放口编号为DA(废气)或DW(废水)加001至999的三位数字。",
    )


def check_bank_reference(text: str, field: str) -> str:
    """The reference a bank gave a payment (银行流水号), upper case, so that it is entered once."""
    return _require_match(
        _BANK_REFERENCE,
        _normalize(text),
        field,
        "A bank reference has 6 to 40 letters, digits or hyphens, and no hyphen at either end.",
        "银行流水号为6至40位字母、数字或连字符,首尾不得为连字符。",
    )


def check_sha256(text: str, field: str) -> str:
    """The SHA-256 of a document as 64 hexadecimal digits, lower case."""
    return _require_match(
        _SHA256,
        _normalize(text).lower(),
        field,
        "A SHA-256 has 64 hexadecimal digits.",
        "SHA-256摘要为64位十六进制数字。",
    )


def check_text(text: str, field: str, *, max_length: int, multiline: bool = True) -> str:
    """Strip and check a text: 1 to ``max_length`` characters, no control characters.

    Names stand on one line: there ``multiline`` is false.
    """
    plain = text.strip()
    allowed = "\n\t" if multiline else ""
    written = all(character.isprintable() or character in allowed for character in plain)
    if not 1 <= len(plain) <= max_length or not written:
        raise Malformed(
            field,
            f"{field} has 1 to {max_length} characters and no control characters.",
            f"{field}长度为1至{max_length}个字符,且不含控制字符。",
        )
    return plain


def _normalize(text: str) -> str:
    """Half-width, upper case, no blanks around; the pattern refuses what is too long."""
    if len(text) > _MAX_IDENTIFIER_LENGTH:
        return text
    return unicodedata.normalize("NFKC", text).strip().upper()


def _require_match(pattern: re.Pattern[str], text: str, field: str, *refusal: str) -> str:
    if pattern.fullmatch(text):
        return text
    raise Malformed(field, *refusal)
