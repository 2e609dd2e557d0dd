"""Identifiers that the law or a standard gives: form and check digits. Pure: asks no register.

Each function answers the identifier in its normal form or refuses it, naming field and rule.
"""

import re
from datetime import datetime
from typing import NewType

from registry.kernel.errors import Malformed
from registry.kernel.texts import clean_text, comparison_form, find_refused

Sha256 = NewType("Sha256", str)
"""The digest of a file, 64 lower-case hexadecimal digits."""

_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_PREFIX_LENGTH = 17
_CREDIT_LENGTH = 18
_WEIGHTS = tuple(pow(3, place, 31) for place in range(_CREDIT_PREFIX_LENGTH))

_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_REGISTERED_BY: dict[str, str] = {
    "1": "1239",
    "2": "19",
    "3": "123459",
    "4": "19",
    "5": "1239",
    "6": "129",
    "7": "129",
    "8": "19",
    "9": "1239",
    "A": "19",
    "N": "1239",
    "Y": "1",
}
"""By department (登记管理部门代码), the classes of body (机构类别代码) that it registers."""

_IDENTITY_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_IDENTITY_CHECKS = "10X98765432"

_IDENTITY_CARD = re.compile(r"[1-8][0-9]{5}((?:19|20)[0-9]{6})[0-9]{3}[0-9X]", re.ASCII)
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
        Malformed: wrong length or alphabet (no I, O, S, V, Z), places 3-8 not digits, no such
            department and class, a wrong check digit of the code or of the organisation code
            within it, or the number of an identity card.

    Rule: GB 32100-2015, GB 11714-1997 (organisation code), GB 11643-1999 (identity card).

    """
    code = _normalize(text)
    if _is_identity_card(code):
        raise Malformed(
            field,
            "This is the number of a person's identity card, not a unified social credit code.",
            "此为居民身份证号码，不是统一社会信用代码。",
        )
    if not _CREDIT.fullmatch(code):
        raise Malformed(
            field,
            "A unified social credit code has 18 characters: digits and capital letters without"
            " I, O, S, V, Z; the third to the eighth are digits.",
            "统一社会信用代码为18位数字或大写字母（不含I、O、S、V、Z），第3至8位为数字。",
        )
    if code[1] not in _REGISTERED_BY.get(code[0], ""):
        raise Malformed(
            field,
            f"No credit code begins with {code[:2]}: department and class of the body.",
            f"统一社会信用代码前两位{code[:2]}不是有效的登记管理部门代码和机构类别代码。",
        )
    _check_digits(code, field)
    return code


def _check_digits(code: str, field: str) -> None:
    """Refuse a credit code with a wrong digit, of its own or of its organisation code."""
    if credit_check_digit(code[:_CREDIT_PREFIX_LENGTH]) != code[_CREDIT_PREFIX_LENGTH]:
        raise Malformed(
            field,
            "The check digit of the unified social credit code is wrong; look for a mistyped one.",
            "统一社会信用代码校验码不符，请核对输入。",
        )
    if organisation_check_digit(code[8:16]) != code[16]:
        raise Malformed(
            field,
            "The organisation code in places 9 to 17 of the credit code has a wrong check digit.",
            "统一社会信用代码第9至17位主体标识码（组织机构代码）的校验码不符。",
        )


def _is_identity_card(number: str) -> bool:
    """Whether birthday and check make it the number of an identity card (居民身份证号码)."""
    found = _IDENTITY_CARD.fullmatch(number)
    if found is None:
        return False
    try:
        datetime.strptime(found[1], "%Y%m%d")  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return False
    total = sum(int(d) * w for d, w in zip(number[:17], _IDENTITY_WEIGHTS, strict=True))
    return _IDENTITY_CHECKS[total % 11] == number[17]


def organisation_check_digit(prefix: str) -> str:
    """The ninth character that belongs to the first eight of an organisation code (组织机构代码).

    Rule: GB 11714-1997.
    """
    values = (int(character, 36) for character in prefix)
    total = sum(a * b for a, b in zip(values, _ORGANISATION_WEIGHTS, strict=True))
    return "0123456789X"[-total % 11]


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
            "排污许可证编号为22位：18位单位代码、3位顺序号和标识P。",
        )
    body, mark = found[1], found[3]
    if mark != "P":
        raise Malformed(
            field,
            f"The mark {mark} is not that of a discharge permit, which ends in P.",
            f"标识{mark}不是排污许可证，排污许可证编号以P结尾。",
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
        "行政区划代码为6位数字，首位不为0。",
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
        "排放口编号为DA（废气）或DW（废水）加001至999的三位数字。",
    )


def check_bank_reference(text: str, field: str) -> str:
    """The reference a bank gave a payment (银行流水号), upper case, so that it is entered once."""
    return _require_match(
        _BANK_REFERENCE,
        _normalize(text),
        field,
        "A bank reference has 6 to 40 letters, digits or hyphens, and no hyphen at either end.",
        "银行流水号为6至40位字母、数字或连字符，首尾不得为连字符。",
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


def check_text(
    text: str, field: str, *, max_length: int, multiline: bool = True, optional: bool = False
) -> str:
    """A text as it is stored: 1 to ``max_length`` characters, none where it is ``optional``.

    Names stand on one line: there ``multiline`` is false.

    Raises:
        Malformed: another length, or a character that no text holds; names the character.

    """
    if refused := find_refused(text, multiline=multiline):
        place, why = refused
        code = f"U+{ord(text[place]):04X}"
        raise Malformed(
            field,
            f"{field}: character {place + 1} ({code}) is {why.en}.",
            f"{field}第{place + 1}个字符（{code}）为{why.zh}。",
        )
    plain = clean_text(text)
    if not plain and optional:
        return ""
    if not 1 <= len(plain) <= max_length or not comparison_form(plain):
        raise Malformed(
            field,
            f"{field} has 1 to {max_length} characters; {len(plain)} were given.",
            f"{field}长度为1至{max_length}个字符，现为{len(plain)}个字符。",
        )
    return plain


def _normalize(text: str) -> str:
    """The form in which it is compared; the pattern refuses what is too long."""
    return text if len(text) > _MAX_IDENTIFIER_LENGTH else comparison_form(text)


def _require_match(pattern: re.Pattern[str], text: str, field: str, *refusal: str) -> str:
    if pattern.fullmatch(text):
        return text
    raise Malformed(field, *refusal)
