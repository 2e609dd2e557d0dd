"""The words for permits, construction projects, assessments."""

from policies.vocabulary.shared import VIEW
from policies.word_types import APPROVE, INITIATE, ConceptWords, FactSpec, KindSpec, Text, Verb

KINDS: dict[str, KindSpec] = {
    "Permit": KindSpec(
        Text("discharge permit", "排污许可证"),
        (
            VIEW,
            Verb("view_limits", Text("see limits and outlets of", "查看许可限值与排放口")),
            Verb("register", Text("register", "登记"), duty=INITIATE, creates=True),
            Verb("change", Text("change the limits of", "变更许可限值"), duty=INITIATE),
            Verb("revoke", Text("revoke", "撤销"), duty=APPROVE),
        ),
    ),
    "ConstructionProject": KindSpec(
        Text("construction project", "建设项目"),
        (
            VIEW,
            Verb("view_demand", Text("see the demand of", "查看需求量")),
            Verb("register", Text("register", "登记"), duty=INITIATE, creates=True),
            Verb(
                "assess", Text("record the assessed demand of", "登记环评核定需求量"), duty=INITIATE
            ),
        ),
    ),
    "Assessment": KindSpec(
        Text("environmental assessment of an area", "区域环境质量考核"),
        (VIEW, Verb("record", Text("record", "登记"), duty=INITIATE, creates=True)),
    ),
}

FACTS: dict[str, FactSpec] = {}

WORDS = ConceptWords(KINDS, FACTS)
