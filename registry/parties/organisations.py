"""Organisations as they are proposed and changed: what was given, in its one form."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, NotRequired, TypedDict, Unpack
from uuid import UUID, uuid4

from policies.vocabulary import Text
from registry.commands.operation import CommandContext
from registry.db.session import fetch_one
from registry.kernel.calendar import day_of
from registry.kernel.errors import Condition, Malformed, NotFound, make_requirement
from registry.kernel.identifiers import SOURCE_LENGTH_MAX, check_credit_code, check_text
from registry.kernel.parameters import Demo, Parameter
from registry.parties.records import Organisation
from registry.parties.rules import (
    INDUSTRY_MAX,
    NAME_MAX,
    OrganisationKind,
    OrganisationState,
    SourceCategory,
    check_word,
    level_of,
)
from registry.reference.cache import load_reference
from registry.reference.divisions import ResolvedDivision

LEVELS_ZH = {"province": "省级", "city": "市级", "county": "县级"}


_Name = Annotated[str, Parameter("Legal name, 2 to 200 characters 名称.")]
_THERMAL_POWER = "Runs a thermal power unit or a captive power plant 是否火电或自备电厂."
_TWO_REPRESENTATIVES = "Each of its signatures needs a second one 是否须双人签署."


class OptionalDetails(TypedDict, total=False):
    """Particulars that an organisation may be without."""

    name_en: Annotated[str | None, Parameter("In English, 2 to 200 characters 英文名称.")]
    credit_code: Annotated[str | None, Parameter("Unified social credit code 统一社会信用代码.")]
    source_category: Annotated[
        SourceCategory | None, Parameter("Kind of its emission source 污染源类别.")
    ]
    industry: Annotated[
        str | None, Parameter("Code of GB/T 4754, four digits 行业代码.", codes="Industry")
    ]
    installed_mw: Annotated[
        int | None, Parameter("Installed capacity in whole megawatts 装机容量（兆瓦）.")
    ]


class OrganisationChanges(OptionalDetails, total=False):
    """Particulars to change; those left out stay, None empties what may be empty."""

    name: _Name
    thermal_power: Annotated[bool | None, Parameter(_THERMAL_POWER)]
    two_representatives: Annotated[bool, Parameter(_TWO_REPRESENTATIVES)]


class OrganisationDetails(OptionalDetails):
    """The particulars of an organisation at registration."""

    kind: Annotated[OrganisationKind, Parameter("Its kind 单位类别.")]
    name: _Name
    division: Annotated[
        str, Parameter("Code of the division it lies in 行政区划代码.", codes="Division")
    ]
    thermal_power: Annotated[NotRequired[bool | None], Parameter(_THERMAL_POWER)]
    two_representatives: Annotated[
        NotRequired[bool], Parameter(_TWO_REPRESENTATIVES, default=False)
    ]
    source: Annotated[
        NotRequired[str], Parameter("Where the particulars come from 数据来源.", default="")
    ]
    demo: NotRequired[Demo]


REGISTRAR_ONLY_FIELDS = (
    "name",
    "credit_code",
    "source_category",
    "industry",
    "thermal_power",
    "installed_mw",
)
"""Particulars on which rights depend: an organisation does not change them of itself."""

_FIELDS_ZH = {
    "name": "名称",
    "credit_code": "统一社会信用代码",
    "source_category": "污染源类别",
    "industry": "行业",
    "thermal_power": "火电或自备电厂",
    "installed_mw": "装机容量",
    "two_representatives": "双人签署",
}

_CHECKS: Mapping[str, Callable[[Any], object]] = {
    "name": lambda text: check_text(text, "name", max_length=NAME_MAX, multiline=False),
    "name_en": lambda text: check_text(text, "nameEn", max_length=NAME_MAX, multiline=False),
    "credit_code": lambda text: check_credit_code(text, "creditCode"),
    "source_category": lambda text: check_word(text, SourceCategory, "sourceCategory").value,
    "industry": lambda text: check_text(text, "industry", max_length=INDUSTRY_MAX),
    "source": lambda text: check_text(text, "source", max_length=SOURCE_LENGTH_MAX, optional=True),
}


_REQUIRED_FIELDS = {
    "name": "name",
    "two_representatives": "twoRepresentatives",
}


def normalise_details(given: Mapping[str, Any]) -> dict[str, Any]:
    """The given particulars in their one form."""
    for name, field in _REQUIRED_FIELDS.items():
        if name in given and given[name] is None:
            raise Malformed(field, f"{field} cannot be emptied.", f"{field}不能为空。")
    return {
        name: value if value is None or name not in _CHECKS else _CHECKS[name](value)
        for name, value in given.items()
    }


async def build_organisation(
    context: CommandContext, **particulars: Unpack[OrganisationDetails]
) -> Organisation:
    """The organisation as it would be registered."""
    kind = check_word(particulars["kind"], OrganisationKind, "kind")
    reference = await load_reference(context.reference_version)
    where = reference.divisions.resolve(particulars["division"], day_of(context.now))
    _check_level(kind, where)
    clean = normalise_details(
        {k: v for k, v in particulars.items() if k not in {"kind", "division"}}
    )
    return Organisation(
        id=uuid4(),
        kind=kind.value,
        division=where.code,
        city=where.city,
        county=where.county,
        state=OrganisationState.OPEN.value,
        registered_at=context.now,
        changed_at=context.now,
        **{name: value for name, value in clean.items() if value is not None},
    )


def _check_level(kind: OrganisationKind, division: ResolvedDivision) -> None:
    level = level_of(kind)
    if level is not None and division.level != level:
        raise Malformed(
            "division",
            f"A {kind} lies in a division of the level {level}, not {division.level}.",
            f"该类单位须登记在{LEVELS_ZH[level]}行政区划，{division.name.zh}为{LEVELS_ZH[division.level]}。",
        )


async def get_organisation(id: UUID) -> Organisation:
    """The organisation an argument names; everybody may know which there are."""
    found = await Organisation.get_or_none(id=id)
    if found is None:
        raise NotFound("organisation")
    return found


async def check_organisation_open(
    _context: CommandContext,
    record: Any,  # noqa: ANN401 - any record with an organisation
    **_: object,
) -> list[Condition]:
    """It was not closed, looked up under its lock."""
    found = await fetch_one(
        "SELECT state, name FROM organisation WHERE id = $1", record.organisation_id
    )
    name = found["name"] if found else ""
    return [
        make_requirement(
            name="organisation_open",
            met=found is not None and found["state"] == OrganisationState.OPEN,
            unmet=Text(f"{name} is closed.", f"{name}已注销。"),
        )
    ]


async def check_changer(
    context: CommandContext, organisation: Organisation, **changes: Unpack[OrganisationChanges]
) -> list[Condition]:
    """An organisation does not change of itself what its rights depend on, or what guards them."""
    of_itself = organisation.id == context.viewer.organisation and not context.viewer.is_authority
    kept = [name for name in REGISTRAR_ONLY_FIELDS if name in changes]
    if organisation.two_representatives and changes.get("two_representatives") is False:
        kept.append("two_representatives")
    return [
        Condition(
            name="changed_by_registrar",
            met=not (of_itself and kept),
            message=Text(
                f"Only the province or the centre changes: {', '.join(kept)}.",
                f"下列事项仅由省生态环境厅或省交易服务中心变更："
                f"{'、'.join(_FIELDS_ZH[name] for name in kept)}。",
            ),
        )
    ]
