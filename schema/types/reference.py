"""Reference data in the API: divisions, pollutants, industries, figures of the regulation."""

from datetime import date
from typing import Any, ClassVar, Self

import strawberry

from registry.kernel.calendar import day_of
from registry.kernel.quantities import format_quantity
from registry.parties.rules import SourceCategory
from registry.reading.projections import Projection, ToOne, plain_column
from registry.reference import projections, queries
from registry.reference.cache import current_reference
from registry.reference.parameters import Parameter as Figure
from registry.reference.records import Division as DivisionRecord
from registry.reference.records import Pollutant as PollutantRecord
from registry.reference.records import RiverSystem as RiverSystemRecord
from schema.framework.context import Info
from schema.framework.projected import projected
from schema.framework.refusals import LocalisedText
from schema.framework.scalars import Quantity
from schema.types.enums import DivisionLevel, PollutantMedium


def _field(description: str, projection: Projection | None = None) -> Any:  # noqa: ANN401 - as annotated
    return strawberry.field(
        description=description, metadata=projected(projection) if projection else {}
    )


@strawberry.interface(description="Something that was read in a source 有来源的数据.")
class Provenance:
    """Where reference data comes from and how far it may be trusted."""

    source: str = _field("Where it was read 数据来源.")
    demo: bool = _field("Demonstration data, not to be taken for official 是否演示数据.")
    needs_confirmation: bool = _field("Not read, or not read whole 是否待核实.")


@strawberry.type(description="A province, city or county 行政区划.")
class Division(Provenance):
    """A division of the dated table."""

    TABLE: ClassVar = "division"

    code: str = _field("Administrative code, six digits 行政区划代码.", plain_column("code"))
    name: str = _field("Its name 名称.", projections.NAME)
    name_en: str = _field("Its name in English 英文名称.")
    level: DivisionLevel = _field("Its level 层级.")
    city: str = _field("Code of the city it belongs to, whatever its prefix 所属设区市代码.")

    @classmethod
    def of(cls, record: DivisionRecord) -> Self:
        """The API's form of a division."""
        return cls(
            name=record.name_zh, **_copied_fields(record, "code", "name_en", "level", "city")
        )


@strawberry.type(description="A regulated pollutant 主要污染物.")
class Pollutant(Provenance):
    """A pollutant of the table."""

    TABLE: ClassVar = "pollutant"

    code: str = _field("Its code here 污染物代码.", plain_column("code"))
    name: str = _field("Its name 名称.", projections.NAME)
    name_en: str = _field("Its name in English 英文名称.")
    medium: PollutantMedium = _field("The medium it pollutes 介质.")
    national_code: str = _field("Its code in the national standard 国家标准代码.")
    unit: str = _field("The unit quantities are shown in 计量单位.", plain_column("unit"))
    decimals: int = _field(
        "Decimals of a quantity; the last one is the base unit 小数位数.", projections.DECIMALS
    )

    @classmethod
    def of(cls, record: PollutantRecord) -> Self:
        """The API's form of a pollutant."""
        same = _copied_fields(record, "code", "name_en", "medium", "national_code", "unit")
        return cls(name=record.name_zh, decimals=record.scale, **same)


@strawberry.type(description="A river system 水系.")
class RiverSystem(Provenance):
    """One of the eleven river systems."""

    TABLE: ClassVar = "river_system"

    code: str = _field("Its code here 水系代码.")
    name: str = _field("Its name 名称.", projections.NAME)
    name_en: str = _field("Its name in English 英文名称.")
    basin: str = _field("The basin it is part of 流域.")

    @classmethod
    def of(cls, record: RiverSystemRecord) -> Self:
        """The API's form of a river system."""
        return cls(name=record.name_zh, **_copied_fields(record, "code", "name_en", "basin"))


@strawberry.type(description="An industry of GB/T 4754 行业.")
class Industry(Provenance):
    """An industry with the marks on which limits of trade depend."""

    code: str = _field("Its code 行业代码.")
    name: str = _field("Its name 名称.", projections.NAME)
    name_en: str = _field("Its name in English 英文名称.")
    source_category: SourceCategory = _field("The category of its sources 污染源类别.")
    thermal_power: bool = _field("Whether it is thermal power 是否火电.")
    two_high: bool = _field("Whether it is high in energy and emissions 是否两高行业.")


@strawberry.type(description="A figure of the regulation in force 制度参数.")
class Parameter(Provenance):
    """A parameter with everything needed to cite it."""

    name: str = _field("Its name 参数名称.")
    area: str | None = _field(
        "Code of the division it is for; null for all 适用区域.", projections.AREA
    )
    pollutant: str | None = _field(
        "Code of the pollutant it is for; null for all 适用污染物.", projections.POLLUTANT
    )
    value: str | None = _field("The figure; null where no source gives it 参数值.")
    unit: str = _field("What it counts 单位.")
    effective_from: date = _field("First day in force 生效日期.")
    effective_until: date | None = _field("Last day in force; null while no end is known 失效日期.")
    legal_basis: LocalisedText = _field(
        "The law, notice or decision it rests on 法律依据.", projections.LEGAL_BASIS
    )

    @classmethod
    def of(cls, figure: Figure) -> Self:
        """The API's form of a parameter."""
        return cls(
            area=figure.area or None,
            pollutant=figure.pollutant or None,
            effective_from=figure.period.since,
            effective_until=figure.period.until,
            legal_basis=LocalisedText.parse(figure.legal_basis),
            **_copied_fields(figure, "name", "value", "unit"),
        )


def division_field(description: str, *, column: str) -> Any:  # noqa: ANN401 - as annotated
    """A field that leads to the division whose code a column of the row holds.

    Args:
        description: English with the Chinese term.
        column: the column; empty or NULL for none.

    """

    async def resolve(self: Any, info: Info) -> Any:  # noqa: ANN401 - annotated by the attribute
        return await load_division(info, getattr(self.record, column) or "")

    resolve.__annotations__.pop("return")
    return strawberry.field(
        resolver=resolve,
        description=description,
        metadata=projected(ToOne(f"{{t}}.{column}", target_column="code")),
    )


async def load_division(info: Info, code: str) -> Division | None:
    """A division by its code, read with the others of the answer."""
    found = await info.context.load_batched(queries.divisions_by_code, code)
    return Division.of(found) if found else None


async def load_pollutant(info: Info, code: str) -> Pollutant | None:
    """A pollutant by its code, read with the others of the answer."""
    found = await info.context.load_batched(queries.pollutants_by_code, code)
    return Pollutant.of(found) if found else None


async def format_in_unit(info: Info, pollutant: str, units: int) -> Quantity:
    """Base units as a decimal in the unit of the pollutant."""
    found = await info.context.load_batched(queries.pollutants_by_code, pollutant)
    return Quantity(format_quantity(units, found.scale if found else 0))


def _copied_fields(record: object, *names: str) -> dict[str, Any]:
    named = (*names, "source", "demo", "needs_confirmation")
    return {name: getattr(record, name) for name in named}


@strawberry.type
class ReferenceQuery:
    """Reference data; anybody may read it."""

    @strawberry.field(
        description="The cities: eleven and three that count as such 设区市及省直管.",
        metadata=projected(projections.CITIES),
    )
    async def cities(self) -> list[Division]:
        """By code."""
        return [Division.of(found) for found in await queries.list_divisions("city")]

    @strawberry.field(
        description="The counties of a city 县(市、区).", metadata=projected(projections.COUNTIES)
    )
    async def counties(self, city: str) -> list[Division]:
        """By code; none where there is no such city."""
        return [Division.of(found) for found in await queries.list_divisions("county", city)]

    @strawberry.field(
        description="The regulated pollutants 主要污染物.",
        metadata=projected(projections.POLLUTANTS),
    )
    async def pollutants(self) -> list[Pollutant]:
        """By code."""
        return [Pollutant.of(found) for found in await queries.list_pollutants()]

    @strawberry.field(
        description="The eleven river systems 水系.", metadata=projected(projections.RIVER_SYSTEMS)
    )
    async def river_systems(self) -> list[RiverSystem]:
        """By code."""
        return [RiverSystem.of(found) for found in await queries.list_river_systems()]

    @strawberry.field(
        description="The industries 行业.", metadata=projected(projections.INDUSTRIES)
    )
    async def industries(self) -> list[Industry]:
        """By code."""
        same = ("code", "name_en", "source_category", "thermal_power", "two_high")
        return [
            Industry(name=found.name_zh, **_copied_fields(found, *same))
            for found in await queries.list_industries()
        ]

    @strawberry.field(
        description="The figures of the regulation in force on a day, today's by default 制度参数.",
        metadata=projected(projections.PARAMETERS),
    )
    async def parameters(
        self, info: Info, as_of: date | None = strawberry.UNSET
    ) -> list[Parameter]:
        """By name, area and pollutant; base prices (交易基准价格) are called ``base_price``."""
        on = as_of or day_of((await info.context.viewer()).now)
        in_force = (await current_reference()).parameters.in_force(on)
        return [Parameter.of(figure) for figure in in_force]
