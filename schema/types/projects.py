"""Construction projects and assessments of areas in the API."""

from datetime import datetime
from typing import ClassVar

import strawberry

from registry.permits import projections, projects
from registry.permits.facts import ASSESSMENT, CONSTRUCTION_PROJECT
from registry.permits.rules import Medium, ProjectState
from registry.reading.keyset import Ordering
from registry.reading.projections import bilingual
from schema.framework.fields import column, projected_field, relation
from schema.framework.governed import Governed
from schema.framework.inputs import CommandInput, code_field, node_id_field
from schema.framework.lists import FilterSpec, YearFilter, list_field, shared_list
from schema.framework.mutations import governed_mutation
from schema.framework.scalars import Quantity
from schema.types.parties import Organisation
from schema.types.reference import (
    Division,
    Pollutant,
)
from schema.types.shared_lists import PROJECTS


@strawberry.type(description="Annual demand of a project for a pollutant 项目年需求量.")
class ProjectDemand:
    source: str = column("Where the figure comes from 数据来源.")
    demo: bool = column("Demonstration data 是否演示数据.")
    assessed_at: datetime = column("When it was entered here 登记时间.")
    pollutant: Pollutant | None = projected_field("The pollutant 污染物.", projections.POLLUTANT)

    quantity: Quantity | None = projected_field(
        "How much in a year, in the pollutant's unit; null where the source does not"
        " give it 年需求量.",
        projections.QUANTITY,
    )


@strawberry.type(description="A construction project 建设项目.")
class ConstructionProject(Governed):
    KIND: ClassVar = CONSTRUCTION_PROJECT
    CAPTION: ClassVar = bilingual("{t}.name", "{t}.name")

    name: str = column("Its name 项目名称.")
    organisation: Organisation = relation("The developer 建设单位.")
    approval_number: str | None = column(
        "Number of the approval of its environmental assessment 环评批复文号."
    )
    state: ProjectState = column("Whether its demand is assessed 状态.")
    strategic_industry: bool = column("Of a strategic emerging industry 是否战略性新兴产业项目.")
    technology_demonstration: bool = column(
        "A major demonstration of science and technology 是否重大科技示范项目."
    )
    source: str = column("Where it was read 数据来源.")
    demo: bool = column("Demonstration data 是否演示数据.")
    registered_at: datetime = column("When it was entered here 登记时间.")
    division: Division | None = projected_field("Where it is built 建设地点.", projections.DIVISION)

    demands: list[ProjectDemand] | None = projected_field(
        "Its annual demand; null where this appointment may not see it 项目年需求量.",
        projections.DEMANDS,
    )


@strawberry.type(
    description="Whether a city met in a year what opens it to rights from elsewhere"
    " 区域环境质量考核."
)
class Assessment(Governed):
    KIND: ClassVar = ASSESSMENT
    CAPTION: ClassVar = projections.ASSESSMENT_CAPTION

    year: int = column("The year assessed 考核年度.")
    medium: Medium = column("The medium 环境要素.")
    quality_attained: bool = column("Whether quality was attained 环境质量是否达标.")
    reduction_task_done: bool = column("Whether the task of reduction was done 减排任务是否完成.")
    improvement_target_met: bool = column(
        "Whether the target of improvement was met 改善目标是否完成."
    )
    source: str = column("Where it was read 数据来源.")
    demo: bool = column("Demonstration data 是否演示数据.")
    city: Division | None = projected_field("The city 设区市.", projections.CITY)


@strawberry.input(description="Enter a construction project 登记建设项目.")
class RegisterProjectInput(CommandInput):
    """The particulars of a project."""

    organisation: strawberry.ID = node_id_field("Organisation", "The developer 建设单位.")
    name: str = strawberry.field(description="Its name 项目名称.")
    division: str = code_field("Division", "Code of the place it is built in 建设地代码.")
    approval_number: str | None = strawberry.field(
        default=strawberry.UNSET, description="Number of its environmental approval 环评批复文号."
    )
    strategic_industry: bool = strawberry.field(
        default=False, description="Of a strategic emerging industry 是否战略性新兴产业项目."
    )
    technology_demonstration: bool = strawberry.field(
        default=False, description="A major demonstration of technology 是否重大科技示范项目."
    )
    source: str = strawberry.field(description="Where it was read 数据来源.")
    demo: bool = strawberry.field(default=False, description="Demonstration data 是否演示数据.")


@strawberry.input(description="Demand of a project for a pollutant 项目需求量.")
class DemandInput:
    """How much in a year; left out where the source does not give it."""

    pollutant: str = code_field("Pollutant", "Code of the pollutant 污染物代码.")
    quantity: Quantity | None = strawberry.field(
        default=strawberry.UNSET, description="How much, in its unit; null if not given 年需求量."
    )


@strawberry.input(description="Record what a project needs 登记项目核定需求量.")
class AssessDemandInput(CommandInput):
    """The outcome of an environmental assessment."""

    id: strawberry.ID = node_id_field("ConstructionProject", "The project 项目标识.")
    demands: list[DemandInput] = strawberry.field(
        description="Its demands, 1 to 50, each pollutant once 需求量."
    )
    source: str = strawberry.field(description="The assessment or its approval 数据来源.")
    approval_number: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Number of the approval; left out, it stays 环评批复文号.",
    )
    demo: bool = strawberry.field(default=False, description="Demonstration data 是否演示数据.")


@strawberry.input(description="Record the assessment of a city 登记区域环境质量考核结果.")
class RecordAssessmentInput(CommandInput):
    """A finding; recorded once and never changed."""

    city: str = code_field("Division", "Code of the city 设区市代码.")
    year: int = strawberry.field(description="A year that is over 考核年度.")
    medium: Medium = strawberry.field(description="The medium 环境要素.")
    quality_attained: bool = strawberry.field(
        description="Whether quality was attained 环境质量是否达标."
    )
    reduction_task_done: bool = strawberry.field(
        description="Whether the task of reduction was done 减排任务是否完成."
    )
    improvement_target_met: bool = strawberry.field(
        description="Whether the target of improvement was met 改善目标是否完成."
    )
    source: str = strawberry.field(description="Where it was read 数据来源.")
    demo: bool = strawberry.field(default=False, description="Demonstration data 是否演示数据.")


@strawberry.type
class ProjectQuery:
    construction_projects = shared_list(PROJECTS, "Construction projects 建设项目.")
    assessments = list_field(
        Assessment,
        "Assessments of cities 区域环境质量考核.",
        orders={
            "newest": Ordering("year", int, descending=True),
            "oldest": Ordering("year", int),
        },
        where={
            "city": FilterSpec("Code of the city 设区市代码", "city", codes="Division"),
            "year": FilterSpec("The year assessed 考核年度", "year", form=YearFilter),
            "medium": FilterSpec("The medium 环境要素", "medium", words=Medium),
        },
    )


@strawberry.type
class ProjectMutation:
    """Mutations of projects and assessments."""

    register_project = governed_mutation(
        ConstructionProject,
        "register",
        projects.register_project,
        RegisterProjectInput,
        "Enter a construction project 登记建设项目.",
    )
    assess_demand = governed_mutation(
        ConstructionProject,
        "assess",
        projects.assess_demand,
        AssessDemandInput,
        "Record what a project needs by its environmental assessment 登记项目核定需求量.",
    )
    record_assessment = governed_mutation(
        Assessment,
        "record",
        projects.record_assessment,
        RecordAssessmentInput,
        "Record the assessment of a city for a year and a medium 登记区域环境质量考核结果.",
    )
