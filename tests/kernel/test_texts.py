import pytest
from hypothesis import given

from registry.kernel.errors import Malformed
from registry.kernel.identifiers import check_text
from registry.kernel.texts import clean_text, comparison_form
from tests.support.texts import ALMOST_ANY_TEXT

KEPT_NAME = "住友再生资源（廊坊）有限公司"


def stored(text: str, *, multiline: bool = True) -> str:
    return check_text(text, "reason", max_length=200, multiline=multiline)


def refusal_of(text: str, *, multiline: bool = True) -> Malformed:
    with pytest.raises(Malformed) as refusal:
        stored(text, multiline=multiline)
    assert refusal.value.field == "reason"
    return refusal.value


@pytest.mark.parametrize(
    "twin",
    [
        "住友再生资源(廊坊)有限公司",
        "住友再生资源（廊坊）有限公司\u3164",
        "住友再生资源 （廊坊）　有限公司",
        "住友再生资源（廊\u200b坊）有限公司",
        "住友再生资源﹙廊坊﹚有限公司",
        "住友再生资源〔廊坊〕有限公司",
        "\ufeff住友再生资源（廊坊）有限公司\n",
        "住友再生资源（廊\ufe00坊）有限公司",
    ],
)
def test_names_that_look_alike_have_one_comparison_form(twin: str) -> None:
    assert comparison_form(twin) == comparison_form(KEPT_NAME)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ｅ９-2", "e9—2"),
        ("hb-131000-2022-00231", "ＨＢ－131000－2022－00231　"),
        ("冀环〔2022〕3号", "冀环[2022] 3号"),
        ("金\uf90a", "金金"),
        ("Hebei Steel Co., Ltd", "HEBEI  STEEL CO.,LTD"),
        ("Soci\u00e9t\u00e9", "SOCIE\u0301TE\u0301"),
    ],
)
def test_width_case_dashes_brackets_and_compatibility_forms_make_no_difference(
    one: str, other: str
) -> None:
    assert comparison_form(one) == comparison_form(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("E9 2", "E92"), ("E9-2", "E92"), ("廊坊热电", "廊坊热力"), ("A B", "AB"), ("未来", "末来")],
)
def test_what_a_reader_tells_apart_is_apart(one: str, other: str) -> None:
    assert comparison_form(one) != comparison_form(other)


@given(ALMOST_ANY_TEXT)
def test_the_comparison_form_of_a_comparison_form_is_itself(text: str) -> None:
    assert comparison_form(comparison_form(text)) == comparison_form(text)


@given(ALMOST_ANY_TEXT)
def test_storing_a_text_changes_neither_its_comparison_form_nor_itself_a_second_time(
    text: str,
) -> None:
    assert comparison_form(clean_text(text)) == comparison_form(text)
    assert clean_text(clean_text(text)) == clean_text(text)


@pytest.mark.parametrize(
    ("pasted", "kept"),
    [
        ("　　经审核，\u3000同意。", "经审核， 同意。"),
        ("同意\xa0转让", "同意 转让"),
        ("第一行\r\n　　第二行\r第三行", "第一行\n第二行\n第三行"),
        ("1.\t材料齐全\t", "1. 材料齐全"),
        ("第一段\u2028第二段\u2029\u2029第三段\x85", "第一段\n第二段\n\n第三段"),
        ("\ufeff同意", "同意"),
        ("排\xad污\u200b权", "排污权"),
    ],
)
def test_what_people_paste_is_stored_in_one_form(pasted: str, kept: str) -> None:
    assert stored(pasted) == kept


def test_full_width_brackets_of_a_legal_name_are_stored_as_given() -> None:
    assert stored(KEPT_NAME, multiline=False) == KEPT_NAME


@pytest.mark.parametrize(
    ("character", "block"),
    [
        ("\U00030000", "extension G"),
        ("\U00031350", "extension H"),
        ("\U0002ebf0", "extension I"),
        ("\U000323b0", "extension J"),
        ("\ue000", "private use of GB 18030"),
        ("\ue864", "private use of GB 18030"),
        ("葛\U000e0100", "with a variation selector"),
    ],
)
def test_rare_ideographs_are_accepted_whatever_the_python_version(
    character: str, block: str
) -> None:
    assert stored(f"张{character}") == f"张{character}", block


@pytest.mark.parametrize(
    ("text", "place", "en", "zh"),
    [
        ("同意\x07", 3, "U+0007", "控制字符"),
        ("\x00", 1, "U+0000", "控制字符"),
        ("甲\ud800", 2, "U+D800", "非Unicode字符"),
        ("\ufdd0", 1, "U+FDD0", "非Unicode字符"),
        ("\U0001ffff", 1, "U+1FFFF", "非Unicode字符"),
        ("公司\ufffd", 3, "U+FFFD", "占位符"),
        ("\uf8ff", 1, "U+F8FF", "GB 18030"),
        ("甲乙\U000f0000", 3, "U+F0000", "GB 18030"),
    ],
)
def test_a_refused_text_says_which_character_is_wrong_and_where(
    text: str, place: int, en: str, zh: str
) -> None:
    refused = refusal_of(text).message

    assert f"character {place} ({en})" in refused.en
    assert f"第{place}个字符" in refused.zh
    assert zh in refused.zh


def test_a_name_has_one_line_and_the_break_within_it_is_pointed_out() -> None:
    assert stored("\n住友\n", multiline=False) == "住友"
    assert "character 4 (U+000A)" in refusal_of("\n住友\n再生", multiline=False).message.en


@pytest.mark.parametrize("text", ["", " ", "\u3000\xa0\t", "\u3164", "\u200b\ufeff", "\ufe0f"])
def test_a_text_of_which_nothing_is_seen_is_empty(text: str) -> None:
    assert "1 to 200" in refusal_of(text).message.en


def test_a_text_that_is_too_long_says_how_long_it_is() -> None:
    refused = refusal_of("长" * 201).message

    assert "201" in refused.en
    assert "201" in refused.zh


def test_an_optional_text_may_be_blank() -> None:
    assert check_text(" \u3000\u200b", "note", max_length=9, optional=True) == ""
