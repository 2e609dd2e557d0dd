"""Reference data in the API: divisions, pollutants, industries, figures of the regulation."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar

import strawberry

from registry.ledger.rules import Basin
from registry.parties.rules import SourceCategory
from registry.reading.keyset import Ordering
from registry.reading.projections import ToOne, plain_column
from registry.reference import projections
from registry.reference.facts import PARAMETER_CONFIRMATION
from schema.framework.fields import FieldArgument, column, projected_field
from schema.framework.governed import Governed
from schema.framework.lists import list_field
from schema.framework.refusals import LocalisedText
from schema.types.enums import DivisionLevel, PollutantMedium


@strawberry.interface(description="Something that was read in a source 有来源的数据.")
class Provenance:
    source: str = column("Where it was read 数据来源.")
    demo: bool = column("Demonstration data, not to be taken for official 是否演示数据.")
    needs_confirmation: bool = column("Not read, or not read whole 是否待核实.")


@strawberry.type(description="A province, city or county 行政区划.")
class Division(Provenance):
    TABLE: ClassVar = "division"

    code: str = projected_field(
        "Administrative code, six digits 行政区划代码.", plain_column("code")
    )
    name: str = projected_field("Its name 名称.", projections.NAME)
    name_en: str = column("Its name in English 英文名称.")
    level: DivisionLevel = column("Its level 层级.")
    city: Annotated["Division", strawberry.lazy("schema.types.reference")] = projected_field(
        "Its city, which its own code does not prove; of a province itself 所属设区的市.",
        ToOne("{t}.city", target_column="code"),
    )


@strawberry.type(description="A regulated pollutant 主要污染物.")
class Pollutant(Provenance):
    TABLE: ClassVar = "pollutant"

    code: str = projected_field("Its code here 污染物代码.", plain_column("code"))
    name: str = projected_field("Its name 名称.", projections.NAME)
    name_en: str = column("Its name in English 英文名称.")
    medium: PollutantMedium = column("The medium it pollutes 介质.")
    national_code: str = column("Its code in the national standard 国家标准代码.")
    unit: str = projected_field("The unit quantities are shown in 计量单位.", plain_column("unit"))
    decimals: int = projected_field(
        "Decimals of a quantity; the last one is the base unit 小数位数.", projections.DECIMALS
    )


@strawberry.type(description="A river system 水系.")
class RiverSystem(Provenance):
    TABLE: ClassVar = "river_system"

    code: str = column("Its code here 水系代码.")
    name: str = projected_field("Its name 名称.", projections.NAME)
    name_en: str = column("Its name in English 英文名称.")
    basin: Basin = column("The basin it is part of 流域.")


@strawberry.type(description="An industry of GB/T 4754 行业.")
class Industry(Provenance):
    code: str = column("Its code 行业代码.")
    name: str = projected_field("Its name 名称.", projections.NAME)
    name_en: str = column("Its name in English 英文名称.")
    source_category: SourceCategory = column("The category of its sources 污染源类别.")
    thermal_power: bool = column("Whether it is thermal power 是否火电.")
    two_high: bool = column("Whether it is high in energy and emissions 是否“两高”行业.")


@strawberry.type(description="A figure of the regulation in force 制度参数.")
class Parameter(Provenance):
    TABLE: ClassVar = "parameter_figure"

    name: str = column("Its name 参数名称.")
    area: Division | None = projected_field(
        "The division it is for; null for all 适用区域.", projections.AREA
    )
    pollutant: Pollutant | None = projected_field(
        "The pollutant it is for; null for all 适用污染物.", projections.POLLUTANT
    )
    value: str | None = column("The figure; null where no source gives it 参数值.")
    unit: str = column("Its unit 单位.")
    tax_included: bool | None = column(
        "Of a price, whether it includes tax; null where no source says 是否含税."
    )
    effective_from: date = column("First day in force 生效日期.")
    effective_until: date | None = column("Last day in force; null while no end is known 失效日期.")
    legal_basis: LocalisedText = projected_field(
        "The law, notice or decision it rests on 法律依据.", projections.LEGAL_BASIS
    )


@strawberry.type(description="A figure that the province confirmed with its document 制度参数确认.")
class ParameterConfirmation(Governed):
    KIND: ClassVar = PARAMETER_CONFIRMATION
    CAPTION: ClassVar = projections.CONFIRMATION_CAPTION

    parameter: Parameter | None = projected_field(
        "The figure 制度参数.", projections.CONFIRMED_PARAMETER
    )
    value: str = column("The value that was confirmed 参数值.")
    document_number: str = column("The document that sets it 文号.")
    source: str = column("Where it was read 数据来源.")


def division_field(description: str, *, column: str) -> Any:  # noqa: ANN401 - as annotated
    """A field that leads to the division whose code a column of the row holds."""
    return projected_field(description, ToOne(f"{{t}}.{column}", target_column="code"))


@strawberry.type
class ReferenceQuery:
    cities: list[Division] = projected_field(
        "The cities: eleven and three that count as such 设区的市及雄安新区、定州市、辛集市.",
        projections.CITIES,
    )

    counties: list[Division] = projected_field(
        "The counties of a city 县（市、区）.",
        projections.COUNTIES,
        arguments={"city": FieldArgument(str)},
    )

    pollutants: list[Pollutant] = projected_field(
        "The regulated pollutants 主要污染物.", projections.POLLUTANTS
    )

    river_systems: list[RiverSystem] = projected_field(
        "The eleven river systems 水系.", projections.RIVER_SYSTEMS
    )

    industries: list[Industry] = projected_field("The industries 行业.", projections.INDUSTRIES)

    parameter_confirmations = list_field(
        ParameterConfirmation,
        "Confirmed figures 制度参数确认.",
        orders={"newest": Ordering("changed_at", datetime, descending=True)},
        where={},
    )

    parameters: list[Parameter] = projected_field(
        "The figures of the regulation in force on a day, today's by default; in production those"
        " marked as demonstration decide nothing 制度参数.",
        projections.PARAMETERS,
        arguments={"as_of": FieldArgument(date | None)},
    )
