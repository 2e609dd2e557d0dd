"""The verbs of construction projects and of the assessment of areas."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID, uuid4

from registry.commands.operation import CommandContext, operation
from registry.kernel.calendar import day_of
from registry.kernel.errors import Malformed
from registry.kernel.identifiers import SOURCE_LENGTH_MAX, check_text
from registry.kernel.parameters import Demo, Parameter, Source
from registry.kernel.quantities import parse_quantity
from registry.kernel.state_machine import advance
from registry.parties.organisations import check_organisation_open, get_organisation
from registry.permits import rules
from registry.permits.facts import ASSESSMENT, CONSTRUCTION_PROJECT
from registry.permits.records import Assessment, ConstructionProject, ProjectDemand
from registry.permits.rules import DemandDraft, Medium, ProjectState
from registry.reference.cache import load_reference
from registry.reference.pollutants import PollutantSpec

APPROVAL_LENGTH_MAX = 100


async def _build_project(  # noqa: PLR0913 - what a project says
    context: CommandContext,
    *,
    organisation: Annotated[UUID, Parameter("The developer 建设单位.", refers="Organisation")],
    name: Annotated[str, Parameter("Its name 项目名称.")],
    division: Annotated[
        str, Parameter("Code of the place it is built in 建设地代码.", codes="Division")
    ],
    source: Source,
    approval_number: Annotated[
        str | None, Parameter("Number of its environmental approval 环评批复文号.")
    ] = None,
    strategic_industry: Annotated[
        bool | None, Parameter("Of a strategic emerging industry 是否战略性新兴产业项目.")
    ] = None,
    technology_demonstration: Annotated[
        bool | None, Parameter("A major demonstration of technology 是否重大科技示范项目.")
    ] = None,
    demo: Demo = False,
) -> ConstructionProject:
    await get_organisation(organisation)
    reference = await load_reference(context.reference_version)
    where = reference.divisions.resolve(division, day_of(context.now))
    return ConstructionProject(
        id=uuid4(),
        organisation_id=organisation,
        name=check_text(name, "name", max_length=rules.NAME_LENGTH_MAX, multiline=False),
        division=where.code,
        city=where.city,
        county=where.county,
        approval_number=_parse_approval_number(approval_number),
        state=ProjectState.PLANNED,
        strategic_industry=strategic_industry,
        technology_demonstration=technology_demonstration,
        source=check_text(source, "source", max_length=SOURCE_LENGTH_MAX),
        demo=demo,
        registered_at=context.now,
        changed_at=context.now,
    )


@operation(
    CONSTRUCTION_PROJECT, "register", build=_build_project, preconditions=(check_organisation_open,)
)
async def register_project(
    _context: CommandContext, project: ConstructionProject, /, **_said: object
) -> ConstructionProject:
    """Enter a construction project, before its assessment.

    Raises:
        ConditionsUnmet: the developer is closed.
        Duplicate: the developer has a project of this name, or the approval number is registered.

    Rule: 国办发〔2014〕38号 (new projects acquire rights by purchase).

    """
    return project


@operation(CONSTRUCTION_PROJECT, "assess")
async def assess_demand(
    context: CommandContext,
    project: ConstructionProject,
    *,
    demands: Annotated[
        Sequence[DemandDraft], Parameter("Its demands, 1 to 50, each pollutant once 需求量.")
    ],
    source: Annotated[
        str, Parameter("The assessment or its approval, 1 to 500 characters 数据来源.")
    ],
    approval_number: Annotated[
        str | None, Parameter("Number of the approval; left out, it stays 环评批复文号.")
    ] = None,
    demo: Demo = False,
) -> ConstructionProject:
    """Record the project's assessed yearly need.

    Earlier records of the same pollutants are superseded and kept.

    Rule: 环发〔2014〕197号.

    """
    quantities = await _parse_demands(context, demands)
    said = check_text(source, "source", max_length=SOURCE_LENGTH_MAX)
    advance(project, rules.PROJECT_TRANSITIONS, "assess")
    project.approval_number = _parse_approval_number(approval_number) or project.approval_number
    await ProjectDemand.filter(
        project_id=project.id, pollutant__in=list(quantities), superseded_at=None
    ).update(superseded_at=context.now)
    await ProjectDemand.bulk_create(
        ProjectDemand(
            id=uuid4(),
            project_id=project.id,
            pollutant=pollutant,
            quantity=quantity,
            source=said,
            demo=demo,
            assessed_at=context.now,
        )
        for pollutant, quantity in quantities.items()
    )
    return project


async def _build_assessment(  # noqa: PLR0913 - what an assessment says
    context: CommandContext,
    *,
    city: Annotated[str, Parameter("Code of the city 设区的市代码.", codes="Division")],
    year: Annotated[int, Parameter("A year that is over 考核年度.")],
    medium: Annotated[Medium, Parameter("The medium 环境要素.")],
    quality_attained: Annotated[bool, Parameter("Whether quality was attained 环境质量是否达标.")],
    reduction_task_done: Annotated[
        bool, Parameter("Whether the task of reduction was done 减排任务是否完成.")
    ],
    improvement_target_met: Annotated[
        bool, Parameter("Whether the target of improvement was met 改善目标是否完成.")
    ],
    source: Source,
    demo: Demo = False,
) -> Assessment:
    today = day_of(context.now)
    reference = await load_reference(context.reference_version)
    where = reference.divisions.resolve(city, today, field="city")
    if where.level != "city":
        raise Malformed("city", f"{city} is no city.", f"{city}不是设区的市。")
    if not rules.YEAR_MIN <= year < today.year:
        raise Malformed(
            "year",
            f"A year is assessed when it is over: {rules.YEAR_MIN} to {today.year - 1}.",
            f"只能登记已结束年度的考核结果：{rules.YEAR_MIN}至{today.year - 1}年。",
        )
    return Assessment(
        id=uuid4(),
        city=where.code,
        year=year,
        medium=Medium(medium),
        quality_attained=quality_attained,
        reduction_task_done=reduction_task_done,
        improvement_target_met=improvement_target_met,
        source=check_text(source, "source", max_length=SOURCE_LENGTH_MAX),
        demo=demo,
    )


@operation(ASSESSMENT, "record", build=_build_assessment)
async def record_assessment(
    _context: CommandContext, assessment: Assessment, /, **_said: object
) -> Assessment:
    """Record for good whether a city met its aims.

    Rule: 《河北省排污权跨区域流转和交易管理暂行办法》.

    """
    return assessment


async def _parse_demands(
    context: CommandContext, demands: Sequence[DemandDraft]
) -> dict[str, int | None]:
    """Base units by pollutant; None where the source gives none."""
    rules.check_count(demands, "demands", least=1, most=rules.DEMANDS_MAX)
    rules.check_unique((demand["pollutant"] for demand in demands), "demands.pollutant")
    pollutants = (await load_reference(context.reference_version)).pollutants
    known = {
        d["pollutant"]: pollutants.require(d["pollutant"], field="demands.pollutant")
        for d in demands
    }
    return {
        d["pollutant"]: _parse_demand(d.get("quantity"), known[d["pollutant"]]) for d in demands
    }


def _parse_demand(quantity: str | None, substance: PollutantSpec) -> int | None:
    if quantity is None:
        return None
    return parse_quantity(quantity, substance.scale, field="demands.quantity")


def _parse_approval_number(number: str | None) -> str | None:
    if number is None:
        return None
    return check_text(number, "approvalNumber", max_length=APPROVAL_LENGTH_MAX, multiline=False)
