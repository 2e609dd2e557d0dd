"""Refusals in the API: data in the answer of a mutation, an error with a code in a query."""

from typing import Self

import strawberry
from strawberry.types.field import StrawberryField

from policies.engine import MAX_NEAR_MISSES
from policies.rulebook import MAX_FACTS_PER_TABLE
from policies.rulebook import NearMiss as RuleMiss
from policies.vocabulary import Text
from registry.kernel import errors
from registry.kernel.observation import note_code
from schema.documents.cost import MAX_ITEMS
from schema.framework.enums import expose_enum
from schema.framework.fields import column

expose_enum(errors.Code, "RefusalCode")


@strawberry.type(description="One text in two languages 双语文本.")
class LocalisedText:
    en: str = column("In English 英文.")
    zh: str = column("In Chinese 中文.")

    @classmethod
    def of(cls, text: Text) -> Self:
        return cls(en=text.en, zh=text.zh)

    @classmethod
    def parse(cls, text: str) -> Self:
        """A text stored as ``English | 中文``; one without a separator serves both languages."""
        return cls.of(Text.parse(text))

    @classmethod
    def parse_optional(cls, text: str) -> Self | None:
        """Likewise; None for an empty text."""
        return cls.parse(text) if text else None


@strawberry.type(
    description="A rule that would allow it, and the facts that prevent it 最接近的许可规则."
)
class NearMiss:
    rule: str = strawberry.field(description="Number of the rule 规则编号.")
    legal_basis: LocalisedText = strawberry.field(description="The law it cites 法律依据.")
    missing: list[LocalisedText] = strawberry.field(
        description="Facts that would have to be true 尚缺条件.",
        metadata={MAX_ITEMS: MAX_FACTS_PER_TABLE},
    )
    blocking: list[LocalisedText] = strawberry.field(
        description="Facts that would have to be false 阻碍条件.",
        metadata={MAX_ITEMS: MAX_FACTS_PER_TABLE},
    )

    @classmethod
    def of(cls, miss: RuleMiss) -> Self:
        return cls(
            rule=miss.rule,
            legal_basis=LocalisedText.parse(miss.legal_basis),
            missing=[LocalisedText.of(text) for text in miss.missing],
            blocking=[LocalisedText.of(text) for text in miss.blocking],
        )


@strawberry.type(description="A requirement of the regulation and its finding 条件核查结果.")
class Condition:
    name: str = strawberry.field(description="Stable word for the condition 条件名称.")
    met: bool = strawberry.field(description="Whether it is met 是否满足.")
    message: LocalisedText = strawberry.field(description="The finding with its figures 核查情况.")
    legal_basis: LocalisedText = strawberry.field(
        description="Law and article, or parameter 法律依据或参数."
    )
    source: LocalisedText = strawberry.field(
        description="Where the facts were read, and their date 数据来源."
    )

    @classmethod
    def of(cls, condition: errors.Condition) -> Self:
        return cls(
            name=condition.name,
            met=condition.met,
            message=LocalisedText.of(condition.message),
            legal_basis=LocalisedText.of(condition.legal_basis),
            source=LocalisedText.of(condition.source),
        )


@strawberry.type(description="It was refused, and nothing was changed 拒绝办理，未作任何变更.")
class Refusal:
    code: errors.Code = strawberry.field(description="Why 拒绝原因代码.")
    message: LocalisedText = strawberry.field(description="The reason in words 说明.")
    field: str | None = strawberry.field(description="The input it is about 相关输入字段.")
    retryable: bool = strawberry.field(
        description="Whether the same command may succeed if sent again 可否以同一幂等键重试."
    )
    rule: str | None = strawberry.field(description="The rule that forbids it 禁止规则编号.")
    legal_basis: LocalisedText | None = strawberry.field(
        description="The law that rule or condition cites 法律依据."
    )
    near_misses: list[NearMiss] = strawberry.field(
        description="The nearest rules that would allow it 最接近的许可规则.",
        metadata={MAX_ITEMS: MAX_NEAR_MISSES},
    )
    conditions: list[Condition] = strawberry.field(
        description="All requirements, met and unmet 全部条件核查结果."
    )

    @classmethod
    def of(cls, refused: errors.Refused) -> Self:
        return cls(
            code=refused.code,
            message=LocalisedText.of(refused.message),
            field=refused.field or None,
            retryable=refused.retryable,
            rule=refused.rule or None,
            legal_basis=LocalisedText.of(refused.legal_basis) if refused.legal_basis else None,
            near_misses=[NearMiss.of(miss) for miss in refused.near_misses],
            conditions=[Condition.of(condition) for condition in refused.conditions],
        )


class RefusalHandler(strawberry.ExceptionHandler[errors.Refused, Refusal]):
    """Puts a refusal into the answer of every field whose result may be one."""

    def handle(
        self, exception: errors.Refused, *, field: StrawberryField, info: strawberry.Info
    ) -> Refusal:
        """The refusal takes the place of the result."""
        del field, info
        note_code(exception.code.value)
        return Refusal.of(exception)
