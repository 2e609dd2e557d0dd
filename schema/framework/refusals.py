"""Refusals in the API: data in the answer of a mutation, an error with a code in a query's."""

from typing import Self

import strawberry
from strawberry.types.field import StrawberryField

from policies.engine import MAX_NEAR_MISSES
from policies.rulebook import MAX_FACTS_PER_TABLE
from policies.vocabulary import Text
from registry.kernel import errors
from schema.documents.cost import MAX_ITEMS

RefusalCode = strawberry.enum(
    errors.Code,
    name="RefusalCode",
    description="Why something was refused 拒绝原因代码; codes never change.",
)


@strawberry.type(description="One sentence in two languages 双语文句.")
class Sentence:
    """A text of the vocabulary, for the API."""

    en: str = strawberry.field(description="In English 英文.")
    zh: str = strawberry.field(description="In Chinese 中文.")

    @classmethod
    def of(cls, text: Text) -> Self:
        """The API's form of a text."""
        return cls(en=text.en, zh=text.zh)


@strawberry.type(
    description="A rule that would have allowed it, and what stands against it 最接近的许可规则."
)
class Miss:
    """A nearest miss of the rule book."""

    rule: str = strawberry.field(description="Number of the rule 规则编号.")
    ground: str = strawberry.field(description="Its legal ground 法律依据.")
    missing: list[Sentence] = strawberry.field(
        description="What would have to be so 尚缺条件.", metadata={MAX_ITEMS: MAX_FACTS_PER_TABLE}
    )
    blocking: list[Sentence] = strawberry.field(
        description="What would have to be otherwise 阻碍条件.",
        metadata={MAX_ITEMS: MAX_FACTS_PER_TABLE},
    )

    @classmethod
    def of(cls, miss: errors.NearMiss) -> Self:
        """The API's form of a miss."""
        return cls(
            rule=miss.rule,
            ground=miss.legal_basis,
            missing=[Sentence.of(text) for text in miss.missing],
            blocking=[Sentence.of(text) for text in miss.blocking],
        )


@strawberry.type(description="A requirement of the regulation, as it was found to be 条件核查结果.")
class Condition:
    """A condition of the concept, evaluated."""

    name: str = strawberry.field(description="Stable word for the condition 条件名称.")
    met: bool = strawberry.field(description="Whether it is met 是否满足.")
    message: str = strawberry.field(description="What was found, in English 核查情况(英文).")
    message_zh: str = strawberry.field(description="What was found, in Chinese 核查情况(中文).")
    ground: str = strawberry.field(description="Law and article, or parameter 法律依据或参数.")
    source: str = strawberry.field(
        description="Where the facts were read, and of what date 数据来源."
    )

    @classmethod
    def of(cls, condition: errors.Condition) -> Self:
        """The API's form of a condition."""
        return cls(
            name=condition.name,
            met=condition.met,
            message=condition.message.en,
            message_zh=condition.message.zh,
            ground=condition.legal_basis,
            source=condition.source,
        )


@strawberry.type(description="It was refused, and nothing was changed 拒绝办理,未作任何变更.")
class Refusal:
    """A refusal, for the API."""

    code: errors.Code = strawberry.field(description="Why 拒绝原因代码.")
    message: str = strawberry.field(description="Why, in English 说明(英文).")
    message_zh: str = strawberry.field(description="Why, in Chinese 说明(中文).")
    field: str | None = strawberry.field(description="The input it is about 相关输入字段.")
    retryable: bool = strawberry.field(
        description="Whether the same command may succeed if sent again 可否以同一幂等键重试."
    )
    rule: str | None = strawberry.field(description="The rule that forbids it 禁止规则编号.")
    ground: str | None = strawberry.field(description="The legal ground 法律依据.")
    misses: list[Miss] = strawberry.field(
        description="The nearest rules that would allow it 最接近的许可规则.",
        metadata={MAX_ITEMS: MAX_NEAR_MISSES},
    )
    conditions: list[Condition] = strawberry.field(
        description="All requirements, met and unmet 全部条件核查结果."
    )

    @classmethod
    def of(cls, refused: errors.Refused) -> Self:
        """The API's form of a refusal."""
        return cls(
            code=refused.code,
            message=refused.message.en,
            message_zh=refused.message.zh,
            field=refused.field or None,
            retryable=refused.retryable,
            rule=refused.rule or None,
            ground=refused.legal_basis or None,
            misses=[Miss.of(miss) for miss in refused.near_misses],
            conditions=[Condition.of(condition) for condition in refused.conditions],
        )


class RefusalHandler(strawberry.ExceptionHandler[errors.Refused, Refusal]):
    """Puts a refusal into the answer of every field whose result may be one."""

    def handle(
        self, exception: errors.Refused, *, field: StrawberryField, info: strawberry.Info
    ) -> Refusal:
        """The refusal that stands in the place of the result."""
        del field, info
        return Refusal.of(exception)
