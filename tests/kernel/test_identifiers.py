from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from registry.kernel.errors import Code, Malformed
from registry.kernel.identifiers import (
    check_bank_reference,
    check_credit_code,
    check_division,
    check_outlet,
    check_permit_number,
    check_sha256,
    credit_check_digit,
    organisation_check_digit,
    permit_holder,
)

TANGSHAN = "91130200699229617X"
VALID_CODES = [TANGSHAN, "91350100M000100Y43", "911302307808371268"]
WITHOUT_CODE = "H91302300000" + "00001" + "A"
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
PRINTABLE = st.characters(min_codepoint=33, max_codepoint=126)


def refusal_of(check: Callable[[str, str], str], text: str) -> Malformed:
    with pytest.raises(Malformed) as refusal:
        check(text, "identifier")
    assert refusal.value.code == Code.MALFORMED
    assert refusal.value.field == "identifier"
    assert refusal.value.message.zh
    return refusal.value


@pytest.mark.parametrize("code", VALID_CODES)
def test_published_credit_codes_are_accepted(code: str) -> None:
    assert check_credit_code(code, "creditCode") == code


def test_a_published_wrong_check_digit_is_refused_as_such() -> None:
    assert (
        "check digit" in refusal_of(check_credit_code, "91350100M000100Y4Z"[:17] + "2").message.en
    )
    refusal_of(check_credit_code, "91350100M000100Y4Z")


@given(st.sampled_from(VALID_CODES), st.integers(0, 17), PRINTABLE)
def test_one_changed_character_of_a_credit_code_is_always_noticed(
    code: str, place: int, other: str
) -> None:
    assume(other.upper() != code[place])

    refusal_of(check_credit_code, code[:place] + other + code[place + 1 :])


@given(st.sampled_from(VALID_CODES), st.integers(0, 17))
def test_a_missing_character_is_noticed(code: str, place: int) -> None:
    refusal_of(check_credit_code, code[:place] + code[place + 1 :])


@given(
    st.sampled_from(["91", "92", "93", "N2", "Y1"]),
    st.text("0123456789", min_size=6, max_size=6),
    st.text(ALPHABET, min_size=8, max_size=8),
)
def test_every_organisation_code_has_exactly_one_pair_of_check_digits(
    kind: str, area: str, number: str
) -> None:
    codes = [with_check_digit(f"{kind}{area}{number}{ninth}") for ninth in "0123456789X"]

    accepted = [code for code in codes if is_accepted(check_credit_code, code)]

    ninth = organisation_check_digit(number)
    assert accepted == [with_check_digit(f"{kind}{area}{number}{ninth}")]


def with_check_digit(prefix: str) -> str:
    return prefix + credit_check_digit(prefix)


def test_the_organisation_code_within_a_credit_code_has_a_check_digit_of_its_own() -> None:
    code = with_check_digit(f"91130200{'69922961'}8")

    assert "9 to 17" in refusal_of(check_credit_code, code).message.en
    assert organisation_check_digit("69922961") == "7"


@pytest.mark.parametrize("first_two", ["01", "94", "90", "A2", "H9", "Y2", "N4"])
def test_a_credit_code_begins_with_a_department_and_its_class_of_body(first_two: str) -> None:
    code = with_check_digit(f"{first_two}130200699229617")

    assert first_two in refusal_of(check_credit_code, code).message.en


@given(
    st.sampled_from(["110101", "130102", "310120", "510104", "520103", "650102"]),
    st.dates(date(1900, 1, 1), date(2026, 12, 31)),
    st.integers(0, 999),
)
def test_the_number_of_an_identity_card_is_no_credit_code(
    area: str, born: date, sequence: int
) -> None:
    number = f"{area}{born:%Y%m%d}{sequence:03}"
    weights = [pow(2, 17 - place, 11) for place in range(17)]
    total = sum(int(digit) * weight for digit, weight in zip(number, weights, strict=True))
    number += "10X98765432"[total % 11]

    assert "identity card" in refusal_of(check_credit_code, number).message.en
    assert "identity card" in refusal_of(check_credit_code, number.lower()).message.en


def is_accepted(check: Callable[[str, str], str], text: str) -> bool:
    try:
        check(text, "identifier")
    except Malformed:
        return False
    return True


@pytest.mark.parametrize(
    "typed", [TANGSHAN.lower(), f"  {TANGSHAN}\n", "９１１３０２００６９９２２９６１７Ｘ"]
)
def test_case_blanks_and_full_width_do_not_matter(typed: str) -> None:
    assert check_credit_code(typed, "creditCode") == TANGSHAN


def test_a_valid_code_hidden_before_blanks_and_junk_is_refused() -> None:
    refusal_of(check_credit_code, TANGSHAN + " " * 100 + "X")


@pytest.mark.parametrize("number", [f"{TANGSHAN}001P", f"{TANGSHAN}002P", f"{WITHOUT_CODE}001P"])
def test_permit_numbers_are_accepted_and_name_their_holder(number: str) -> None:
    assert check_permit_number(number.lower(), "permitNumber") == number
    assert permit_holder(number) == number[:18]


@given(st.integers(0, 17), st.sampled_from(ALPHABET))
def test_the_credit_code_within_a_permit_number_is_checked(place: int, other: str) -> None:
    assume(other != TANGSHAN[place])

    refusal_of(check_permit_number, f"{TANGSHAN[:place]}{other}{TANGSHAN[place + 1 :]}001P")


@given(st.integers(18, 21), st.sampled_from("ABCWXYZ-_ "))
def test_a_letter_in_the_sequence_or_another_mark_is_refused(place: int, other: str) -> None:
    number = f"{TANGSHAN}001P"

    refusal_of(check_permit_number, number[:place] + other + number[place + 1 :])


@pytest.mark.parametrize("mark", "WXYZ")
def test_a_registration_receipt_is_not_a_permit(mark: str) -> None:
    assert mark in refusal_of(check_permit_number, f"{TANGSHAN}001{mark}").message.en


@pytest.mark.parametrize(
    "body", ["H91302300001" + "00001" + "A", "H8" + WITHOUT_CODE[2:], WITHOUT_CODE[:-1] + "1"]
)
def test_an_organisation_without_a_credit_code_has_its_own_strict_form(body: str) -> None:
    refusal_of(check_permit_number, f"{body}001P")


@pytest.mark.parametrize("code", ["130000", "130682", "133100", "131024"])
def test_division_codes_have_six_digits(code: str) -> None:
    assert check_division(code, "division") == code


@pytest.mark.parametrize("code", ["", "13010", "1301000", "030100", "13010A", "13-100"])
def test_other_forms_are_no_division_code(code: str) -> None:
    refusal_of(check_division, code)


@pytest.mark.parametrize(("typed", "code"), [("DA001", "DA001"), ("dw999", "DW999")])
def test_outlets_are_numbered_by_medium(typed: str, code: str) -> None:
    assert check_outlet(typed, "outlet") == code


@pytest.mark.parametrize("code", ["DA000", "DB001", "DA01", "DA0001", "D A001"])
def test_other_forms_are_no_outlet(code: str) -> None:
    refusal_of(check_outlet, code)


def test_a_bank_reference_has_one_form_however_it_is_typed() -> None:
    assert check_bank_reference(" cib-20220607-0001 ", "reference") == "CIB-20220607-0001"


@pytest.mark.parametrize("text", ["12345", "-123456", "123456-", "1" * 41, "12 3456", "付款123456"])
def test_other_forms_are_no_bank_reference(text: str) -> None:
    refusal_of(check_bank_reference, text)


def test_a_sha256_is_lower_case_hexadecimal() -> None:
    assert check_sha256("AB" * 32, "sha256") == "ab" * 32
    refusal_of(check_sha256, "ab" * 31)
    refusal_of(check_sha256, "ag" * 32)
    refusal_of(check_sha256, "ab" * 33)
