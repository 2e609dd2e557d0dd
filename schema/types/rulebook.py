"""The rule book in the API: what it says, what an appointment can do, why it may or may not."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import cast

import strawberry
from strawberry.types.base import StrawberryObjectDefinition

from policies.engine import Edition
from policies.rulebook import ANY, PolicyRule
from policies.vocabulary import VOCABULARY
from policies.word_types import Verb as VerbSpec
from registry.access.authorizer import authorizer
from registry.access.kinds import Kind
from registry.access.principals import Viewer
from registry.access.rulebook_store import load_rulebooks
from registry.concepts import OPERATIONS
from registry.db.session import get_by_id
from registry.kernel.errors import Malformed, NotFound
from registry.reading.catalog import NodeLookup, WorkListField
from registry.reading.enum_names import enum_name, kind_name_expr
from registry.reading.projections import (
    ColumnExpr,
    EmbeddedObject,
    OptionalRow,
    ToOne,
    ViewerConstant,
)
from registry.reading.sql_text import quote_literal
from schema.documents.rate_limit import RateLimitStatus
from schema.framework.context import Info
from schema.framework.enums import ObjectKind, Role, RuleEffect, RuleSubject, Verb
from schema.framework.fields import (
    PROJECTION_KEY,
    FieldArgument,
    ProjectedField,
    bounded_list,
    column,
    projected_field,
)
from schema.framework.global_ids import parse_global_id
from schema.framework.governed import ActionExplanation, Governed, Node
from schema.framework.planned_object import PlannedObject
from schema.framework.refusals import LocalisedText
from schema.types.reference import Division

_ROLE = ViewerConstant(lambda viewer: enum_name(viewer.role))
_ROLE_TEXT = EmbeddedObject(
    {
        "en": ViewerConstant(lambda viewer: VOCABULARY.roles[viewer.role].en),
        "zh": ViewerConstant(lambda viewer: VOCABULARY.roles[viewer.role].zh),
    }
)
_DIVISION = ToOne("NULLIF(:division::text, '')", target_column="code")


def mutation_name(kind: str, verb: str) -> str:
    """The mutation that carries out a verb, by its name in the API."""
    name = next(
        operation.name
        for operation in OPERATIONS.values()
        if (operation.kind.name, operation.verb) == (kind, verb)
    )
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _case_by_duty(text_of: Callable[[str, VerbSpec], str]) -> ColumnExpr:
    """The sentence of a duty, by kind and verb."""
    cases = (
        f" WHEN '{kind}.{verb.name}' THEN {quote_literal(text_of(kind, verb))}"
        for kind, words in VOCABULARY.kinds.items()
        for verb in words.verbs
        if verb.creates_task
    )
    return ColumnExpr(f"CASE {{t}}.kind || '.' || {{t}}.verb{''.join(cases)} END")


_DUTY_TEXT = EmbeddedObject(
    {
        "en": _case_by_duty(lambda _, verb: verb.text.en),
        "zh": _case_by_duty(lambda _, verb: verb.text.zh),
    }
)


def _mutation_for_duty() -> ColumnExpr:
    return _case_by_duty(lambda kind, verb: mutation_name(kind, verb.name))


_DUTY_KIND = ColumnExpr(kind_name_expr("{t}.kind"))
_DUTY_OBJECT_ID = ColumnExpr("{t}.id", id_kind="{t}.kind")


@strawberry.type(description="A numbered sentence of the rule book 规则.")
class Rule:
    number: str = strawberry.field(description="Its number 编号.")
    effect: RuleEffect = strawberry.field(description="Its effect 效力.")
    subject: RuleSubject = strawberry.field(description="The role or group it names 适用主体.")
    verb: Verb | None = strawberry.field(description="The verb; null for all 操作.")
    kind: ObjectKind | None = strawberry.field(
        description="The kind of object; null for all 对象类别."
    )
    when: str = strawberry.field(description="The facts it depends on 适用条件.")
    legal_basis: LocalisedText = strawberry.field(description="The reason and its law 法律依据.")

    @classmethod
    def of(cls, row: PolicyRule) -> "Rule":
        return cls(
            number=row.number,
            effect=row.effect,
            subject=row.role,
            verb=None if row.verb == ANY else row.verb,
            kind=None if row.kind == ANY else row.kind,
            when=row.when,
            legal_basis=LocalisedText.parse(row.legal_basis),
        )


@strawberry.type(description="An edition of the rule book 规则版本.")
class RuleEdition:
    version: int = strawberry.field(description="Its number 版本号.")
    digest: str = strawberry.field(description="SHA-256 over all its rows 摘要.")
    rules: list[Rule] = strawberry.field(description="Its rows by number 规则.")


@strawberry.type(description="Something an appointment can ever do 权限.")
class Permission:
    kind: ObjectKind = strawberry.field(description="The kind of object 对象类别.")
    verb: Verb = strawberry.field(description="The verb 操作.")
    text: LocalisedText = strawberry.field(description="The act in words 操作名称.")
    condition: str = strawberry.field(description="When, in the words of the rule book 条件.")
    sentence: LocalisedText = strawberry.field(description="When, in sentences 条件说明.")


@strawberry.type(description="The sender's rate limit, in points a minute 请求配额，按分钟计点.")
class RateLimit:
    limit: int = strawberry.field(description="Points of a minute, always refilling 每分钟点数.")
    cost: int = strawberry.field(description="Points of this operation 本次操作点数.")
    remaining: int = strawberry.field(description="Points left after it 剩余点数.")
    reset_at: datetime = strawberry.field(
        description="When all of them are there again, in real time 配额全部恢复的时间."
    )

    @classmethod
    def of(cls, rate: RateLimitStatus) -> "RateLimit":
        return cls(
            limit=rate.limit, cost=rate.cost, remaining=rate.remaining, reset_at=rate.reset_at
        )


@strawberry.type(description="The appointment that asks 当前授权身份.")
class ViewerInfo:
    role: Role = projected_field("The role 角色.", _ROLE)
    role_text: LocalisedText = projected_field("The role's name 角色名称.", _ROLE_TEXT)
    division: Division | None = projected_field("The division it is for 辖区.", _DIVISION)
    may_initiate: bool = projected_field(
        "Whether it may open business 是否有经办权限.",
        ViewerConstant(lambda viewer: viewer.may_initiate),
    )
    may_approve: bool = projected_field(
        "Whether it may decide 是否有审批权限.", ViewerConstant(lambda viewer: viewer.may_approve)
    )
    now: datetime = projected_field(
        "The registry's time 登记时钟.", ColumnExpr(":now::timestamptz")
    )

    @strawberry.field(description="The cost of this request and the points left 请求配额.")
    def rate_limit(self, info: Info) -> RateLimit | None:
        """None where no rate limit applies."""
        rate = info.context.rate_limit_status
        return None if rate is None else RateLimit.of(rate)

    organisation: Governed | None = projected_field(
        "The organisation it belongs to 所属单位.",
        ToOne(":organisation", target_type="Organisation"),
    )

    person: Governed | None = projected_field(
        "The person who is signed in 登录人员.", ToOne(":person", target_type="Person")
    )

    appointment: Governed | None = projected_field(
        "The appointment itself 岗位授权.", ToOne(":appointment", target_type="Appointment")
    )


@strawberry.type(description="A duty: an object that waits for this appointment 待办事项.")
class WorkItem:
    kind: ObjectKind = projected_field("The kind of object 对象类别.", _DUTY_KIND)
    verb: Verb = column("The verb that may be used 待办操作.")
    text: LocalisedText = projected_field("The act in words 操作名称.", _DUTY_TEXT)
    since: datetime = column("Since when it waits 等待起始时间.")

    mutation: str = projected_field("The mutation that does it 对应的办理接口.", _mutation_for_duty)

    object_id: strawberry.ID = projected_field(
        "Identifier of the object 对象标识.", _DUTY_OBJECT_ID
    )

    object: Governed | None = projected_field("The object 对象.", ToOne("{t}.id", kind="{t}.kind"))


def _governed_kind(info: Info, name: str) -> Kind:
    definition = info.schema.get_type_by_name(name)
    assert isinstance(definition, StrawberryObjectDefinition), "every kind has a type"
    kind: Kind = definition.origin.KIND
    return kind


@lru_cache(maxsize=256)
def _permissions(_edition: Edition, rights: Viewer, kinds: tuple[str, ...]) -> list[Permission]:
    """The permissions in the edition in force, which never changes: they are computed once.

    Args:
        rights: what an appointment and its client have as long as they last.

    """
    return [
        Permission(
            kind=name,
            verb=possible.verb,
            text=LocalisedText.of(verb.text),
            condition=possible.condition,
            sentence=LocalisedText.of(possible.text),
        )
        for name in kinds
        for possible in authorizer.permissions(rights, name)
        if (verb := VOCABULARY.verb(name, possible.verb)) is not None
    ]


@strawberry.type
class RuleBookQuery:
    @strawberry.field(
        description="The appointment that the registry takes you for 当前身份.",
        metadata={PROJECTION_KEY: ProjectedField(OptionalRow("(SELECT 1)"))},
    )
    def viewer(self) -> ViewerInfo:
        """Planned with the rest, but for the rate limit, which is in no row."""
        return cast("ViewerInfo", PlannedObject("ViewerInfo"))

    node: Node | None = projected_field(
        "An object by its identifier 按标识查找对象.",
        NodeLookup(parse_global_id),
        arguments={"id": FieldArgument(strawberry.ID)},
    )

    @strawberry.field(
        description="All this appointment can ever do by this client 本项授权经本应用的全部权限."
    )
    async def permissions(
        self, info: Info, kind: ObjectKind | None = strawberry.UNSET
    ) -> list[Permission]:
        """For one kind of object, or for all of them."""
        viewer = await info.context.viewer()
        kinds = (kind,) if kind else tuple(VOCABULARY.kinds)
        rights = Viewer(
            role=viewer.role,
            now=datetime.min.replace(tzinfo=UTC),
            may_initiate=viewer.may_initiate,
            may_approve=viewer.may_approve,
            scopes=viewer.scopes,
        )
        return _permissions(authorizer.edition, rights, kinds)

    @strawberry.field(
        description="Why a verb is or is not allowed on an object 某项操作允许与否的理由."
    )
    async def explain_permission(
        self, info: Info, kind: ObjectKind, verb: Verb, id: strawberry.ID
    ) -> ActionExplanation:
        """An object that may not be seen answers as one that does not exist."""
        if VOCABULARY.verb(kind, verb) is None:
            raise Malformed("verb", f"{kind} knows no such verb.", "该类对象没有此项操作。")
        found_kind, key = parse_global_id(id)
        if found_kind != kind:
            raise NotFound
        viewer, of = await info.context.viewer(), _governed_kind(info, kind)
        record = await get_by_id(of.record, key)
        if record is None or not authorizer.allows(viewer, of, "view", record):
            raise NotFound
        return ActionExplanation.of(authorizer.explain(viewer, of, verb, record))

    @strawberry.field(description="The rule book, the edition in force by default 规则书.")
    async def rule_book(self, info: Info, edition: int | None = strawberry.UNSET) -> RuleEdition:
        """Public: the rules themselves are no secret."""
        await info.context.viewer()
        version = authorizer.edition.version if edition is None else edition
        current = authorizer.edition.book
        book = (await load_rulebooks([version])).get(version) if edition else current
        if book is None:
            raise NotFound("edition")
        rules = [Rule.of(row) for row in book.rules]
        return RuleEdition(version=version, digest=book.digest, rules=rules)

    work_list: list[WorkItem] = projected_field(
        "Tasks of this appointment, oldest first 待办列表.",
        WorkListField(),
        arguments={"first": FieldArgument(int)},
        check_arguments=bounded_list,
    )
