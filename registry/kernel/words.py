"""Closed lists of words: what is stored, and what each word is called in both languages."""

from datetime import date
from enum import StrEnum
from typing import Self

from policies.vocabulary import Text


def chinese_day(day: date | str) -> str:
    """The day, or the one an ISO text names, in Chinese: ``2026年1月12日``."""
    found = date.fromisoformat(day) if isinstance(day, str) else day
    return f"{found.year}年{found.month}月{found.day}日"


class DescribedEnum(StrEnum):
    """A list whose members are the stored word, its name in English, and in Chinese.

    The docstring of each list is its description in the API.
    """

    text: Text

    def __new__(cls, word: str, en: str = "", zh: str = "") -> Self:
        member = str.__new__(cls, word)
        member._value_ = word
        member.text = Text(en, zh)
        return member
