"""Construction projects and assessments of areas in the API."""

from datetime import datetime
from typing import ClassVar

import strawberry

from registry.kernel.quantities import Quantity
from registry.permits import projections
from registry.permits.facts import ASSESSMENT, CONSTRUCTION_PROJECT
from registry.permits.rules import Medium, ProjectState
from registry.reading.keyset import Ordering
from registry.reading.projections import bilingual
from schema.framework.fields import column, projected_field, relation
from schema.framework.governed import Governed
from schema.framework.lists import FilterSpec, YearFilter, list_field, shared_list
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
        "How much in a year; null where the source does not give it 年需求量.",
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
    strategic_industry: bool | None = column(
        "Of a strategic emerging industry; null where no source says 是否战略性新兴产业项目."
    )
    technology_demonstration: bool | None = column(
        "A major demonstration of technology; null where no source says 是否重大科技示范项目."
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
    description="How a city did in a year, by which it may receive rights 区域环境质量考核."
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
    city: Division | None = projected_field("The city 设区的市.", projections.CITY)


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
            "city": FilterSpec("Code of the city 设区的市代码", "city", codes="Division"),
            "year": FilterSpec("The year assessed 考核年度", "year", form=YearFilter),
            "medium": FilterSpec("The medium 环境要素", "medium", words=Medium),
        },
    )
