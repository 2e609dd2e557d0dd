"""Divisions as other concepts need them: does the code exist, and to which city it belongs."""

from dataclasses import dataclass
from datetime import date

from policies.vocabulary import Text
from registry.db.session import fetch_one
from registry.kernel.errors import Malformed
from registry.kernel.identifiers import check_division

_IN_FORCE_SQL = """
    SELECT code, level, city, name_en, name_zh
    FROM division
    WHERE code = $1
      AND coalesce(effective_from <= $2, true) AND coalesce(effective_until >= $2, true)
"""


@dataclass(frozen=True, slots=True)
class ResolvedDivision:
    """A division that exists on a day.

    Attributes:
        code: six digits.
        level: ``province``, ``city`` or ``county``.
        city: the city it belongs to, whatever its prefix says; a city's or province's own code.
        county: its own code if it is a county; empty otherwise.

    """

    code: str
    level: str
    city: str
    county: str
    name: Text


async def resolve_division(code: str, on: date, *, field: str = "division") -> ResolvedDivision:
    """The division of a code.

    Raises:
        Malformed: not a division code, or none that exists on the day.

    """
    found = await fetch_one(_IN_FORCE_SQL, check_division(code, field), on)
    if found is None:
        raise Malformed(
            field, f"There is no division {code} on {on}.", f"{on}不存在行政区划{code}。"
        )
    return ResolvedDivision(
        code=found["code"],
        level=found["level"],
        city=found["city"],
        county=found["code"] if found["level"] == "county" else "",
        name=Text(found["name_en"], found["name_zh"]),
    )
