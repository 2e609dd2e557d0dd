"""Governed objects in the API: what may be done with each, and what was. Types are data."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from inspect import isawaitable
from operator import attrgetter
from typing import Annotated, Any, ClassVar, cast
from uuid import UUID

import strawberry
from graphql import GraphQLObjectType, get_named_type
from strawberry.types.base import StrawberryObjectDefinition, get_object_definition
from strawberry.types.field import StrawberryField

from policies.engine import MAX_NEAR_MISSES
from policies.rulebook import MAX_FACTS_PER_TABLE
from policies.vocabulary import VOCABULARY
from registry.access import authorizer as access
from registry.access.authorizer import authorizer
from registry.access.kinds import Kind
from registry.access.principals import NIL
from registry.commands import audit_log
from registry.commands import records as audit_records
from registry.kernel.errors import Malformed, NotFound
from registry.reading.keyset import MAX_PAGE_SIZE
from registry.reading.projections import (
    ColumnExpr,
    RelatedColumn,
    ToOne,
    column_expr,
)
from schema.documents.cost import MAX_ITEMS
from schema.framework.context import Info
from schema.framework.enums import ObjectState, Role, Verb
from schema.framework.global_ids import to_global_id
from schema.framework.projected import OWN_ID, bounded_list, check_bounded_list, projected
from schema.framework.refusals import LocalisedText, NearMiss

Getter = Callable[[Any], object]

ATTRIBUTE_KEY, MASK_KEY, RELATION_KEY = "attribute", "mask", "relation"
NULL_VALUE_KEY, TARGET_KIND_KEY = "absent", "names"
"""What a field says of itself: what it reads, which verb uncovers it, that it leads on, what stands
in its column for nothing, and the kind of object that its column names.
"""

_ORGANISATION, _PERSON = (
    ToOne("{t}.organisation_id", target_type="Organisation"),
    ToOne("{t}.person_id", target_type="Person"),
)


@strawberry.interface(
    description="An object that can be found again by its identifier 可按标识查找的对象."
)
class Node:
    """The root of everything with an identifier."""

    KIND: ClassVar[Kind]

    record: strawberry.Private[Any]

    @strawberry.field(description="Opaque identifier 标识.", metadata=projected(OWN_ID))
    def id(self) -> strawberry.ID:
        """The kind and the key of the record in one text."""
        return to_global_id(self.KIND.name, self.record.pk)


@strawberry.type(description="Whether one verb is allowed on one object, and why 操作许可说明.")
class ActionExplanation:
    """A decision of the policy engine, explained."""

    verb: Verb = strawberry.field(description="The verb 操作.")
    allowed: bool = strawberry.field(description="Whether it is allowed now 当前是否允许.")
    rule: str | None = strawberry.field(description="The rule that allows or forbids it 规则编号.")
    legal_basis: LocalisedText | None = strawberry.field(
        description="The law that rule cites 法律依据."
    )
    reasons: list[LocalisedText] = strawberry.field(
        description="The facts it rests on 判断依据.", metadata={MAX_ITEMS: MAX_FACTS_PER_TABLE}
    )
    near_misses: list[NearMiss] = strawberry.field(
        description="The nearest rules that would allow it 最接近的许可规则.",
        metadata={MAX_ITEMS: MAX_NEAR_MISSES},
    )

    @classmethod
    def of(cls, state: access.ActionExplanation) -> "ActionExplanation":
        """The API's form of a decision."""
        return cls(
            verb=state.verb,
            allowed=state.allowed,
            rule=state.rule or None,
            legal_basis=LocalisedText.parse_optional(state.legal_basis),
            reasons=[LocalisedText.of(text) for text in state.reasons],
            near_misses=[NearMiss.of(miss) for miss in state.near_misses],
        )


@strawberry.type(
    description="One thing that was done: who, when, in which capacity, under which rule 操作记录."
)
class AuditEntry:
    """A line of the audit log."""

    TABLE: ClassVar = "audit_entry"

    record: strawberry.Private[audit_records.AuditEntry]
    at: datetime = strawberry.field(description="When 办理时间.")
    operation: str = strawberry.field(description="The mutation that did it 办理事项.")
    verb: Verb = strawberry.field(description="The verb of the rule book 操作.")
    role: Role = strawberry.field(description="The role in which it was done 办理身份.")
    rule: str = strawberry.field(description="The rule that allowed it 许可规则编号.")
    edition: int = strawberry.field(description="The edition of the rule book 规则版本.")
    state_before: ObjectState | None = strawberry.field(description="The state before 办理前状态.")
    state_after: ObjectState | None = strawberry.field(description="The state after 办理后状态.")

    @strawberry.field(
        description="The organisation that acted, where the viewer may see it 办理单位.",
        metadata=projected(_ORGANISATION),
    )
    async def organisation(
        self, info: Info
    ) -> Annotated["Governed", strawberry.lazy("schema.framework.governed")] | None:
        """The body in whose name it was done."""
        return await self._load_actor(info, "Organisation", self.record.organisation_id)

    @strawberry.field(
        description="The person who acted, where the viewer may see him 办理人.",
        metadata=projected(_PERSON),
    )
    async def person(
        self, info: Info
    ) -> Annotated["Governed", strawberry.lazy("schema.framework.governed")] | None:
        """The human being who did it; none where the registry itself did."""
        return await self._load_actor(info, "Person", self.record.person_id)

    @strawberry.field(
        description="The name of the organisation that acted 办理单位名称.",
        metadata=projected(RelatedColumn(_ORGANISATION, column_expr("name"))),
    )
    async def organisation_name(self, info: Info) -> str | None:
        """Without a fragment; none where the registry itself did it."""
        body = await self._load_actor(info, "Organisation", self.record.organisation_id)
        return str(body.record.name) if body else None

    @strawberry.field(
        description="The name of the person, where the viewer may see it 办理人姓名.",
        metadata=projected(RelatedColumn(_PERSON, column_expr("name"))),
    )
    async def person_name(self, info: Info) -> str | None:
        """Likewise."""
        person = await self._load_actor(info, "Person", self.record.person_id)
        return str(person.record.name) if person else None

    async def _load_actor(self, info: Info, kind: str, id: UUID | None) -> "Governed | None":
        cls = node_type(info, kind)
        record = await info.context.load(cls.KIND, id or NIL) if cls else None
        return cls(record=record) if cls and record is not None else None

    @classmethod
    def of(cls, act: audit_records.AuditEntry) -> "AuditEntry":
        """The API's form of an audit entry."""
        same = ("at", "operation", "verb", "role", "rule", "edition", "state_before", "state_after")
        return cls(record=act, **{name: getattr(act, name) for name in same})


@strawberry.interface(description="An object on which the rule book decides 受规则约束的对象.")
class Governed(Node):
    """What every governed object answers beside its own fields."""

    @strawberry.field(
        description="What this appointment may do with it at its present stage 当前可办理的操作."
    )
    async def available_actions(self, info: Info) -> list[Verb]:
        """Advice for a portal; the mutation decides again."""
        return list(authorizer.available_verbs(await info.context.viewer(), self.KIND, self.record))

    @strawberry.field(
        description="Whether one act is allowed now, and why 某项操作是否允许及其理由."
    )
    async def action_state(self, info: Info, verb: Verb) -> ActionExplanation:
        """The verdict on one verb, explained."""
        if VOCABULARY.verb(self.KIND.name, verb) is None:
            raise Malformed(
                "verb", f"{self.KIND.name} knows no such verb.", "该类对象没有此项操作。"
            )
        return ActionExplanation.of(
            authorizer.explain(await info.context.viewer(), self.KIND, verb, self.record)
        )

    @strawberry.field(
        description="Fields that stay empty because this appointment may not see them 被遮蔽的字段."
    )
    async def masked_fields(self, info: Info) -> list[str]:
        """So that a client can tell «hidden» from «none»."""
        viewer = await info.context.viewer()
        covered = {
            verb
            for verb in set(self.masked_by().values())
            if not authorizer.allows(viewer, self.KIND, verb, self.record)
        }
        return [name for name, verb in self.masked_by().items() if verb in covered]

    @strawberry.field(
        description="What was done with it, oldest first, at most 100 acts 办理历史.",
        metadata=projected(audit_log.HISTORY, check_arguments=bounded_list),
    )
    async def history(self, info: Info, first: int = MAX_PAGE_SIZE) -> list[AuditEntry]:
        """Every act on the object; whoever sees the object sees its history."""
        check_bounded_list(first)
        found = await info.context.load_batched(audit_log.load_histories, (self.record.pk, first))
        return [AuditEntry.of(act) for act in found or ()]

    @strawberry.field(
        description="The state it had been brought to by a moment; null before its first act"
        " 历史时点的状态.",
        metadata=projected(audit_log.STATE_AT),
    )
    async def state_at(self, info: Info, as_of: datetime) -> ObjectState | None:
        """From its acts; what had lapsed by then unnoticed still shows its last recorded state."""
        return await info.context.load_batched(audit_log.load_states_at, (self.record.pk, as_of))

    @classmethod
    def masked_by(cls) -> dict[str, str]:
        """The verb that uncovers each masked field, by the field's name in the API."""
        own = _type_definition(cls).fields
        found = ((_api_name(field), mask_of(cls.KIND, field)) for field in own)
        return {name: verb for name, verb in found if verb}

    async def unmasked(self, info: Info, verb: str, read: Getter) -> object:
        """What ``read`` finds, or None where the viewer may not see it."""
        viewer = await info.context.viewer()
        return (
            read(self.record) if authorizer.allows(viewer, self.KIND, verb, self.record) else None
        )


def column(  # The annotation of the attribute says what it holds.
    description: str,
    *,
    name: str = "",
    mask: str = "",
    null_value: object = None,
    target_kind: str = "",
    projection: ColumnExpr | None = None,
) -> Any:  # noqa: ANN401
    """A field read from the record.

    Args:
        description: English with the Chinese term.
        name: the record's attribute where it is called otherwise than the field.
        mask: the verb that uncovers it; an attribute that the kind masks is masked anyway.
        null_value: what the column holds where there is nothing to show.
        target_kind: of an identifier, the kind of object it names.
        projection: how it is read from rows, where that is not the column itself.

    """

    def resolve(self: Governed, info: Info) -> object:
        verb = mask_of(self.KIND, _current_field(info))
        read = attrgetter(name or info.python_name)
        if target_kind:
            return to_global_id(target_kind, read(self.record))
        value = self.unmasked(info, verb, read) if verb else read(self.record)
        return _null_if(null_value, value)

    declared: dict[object, object] = {
        ATTRIBUTE_KEY: name,
        MASK_KEY: mask,
        NULL_VALUE_KEY: null_value,
        TARGET_KIND_KEY: target_kind,
    }
    if projection is not None:
        declared |= projected(projection)
    return _record_field(resolve, description, declared)


def _null_if(null_value: object, value: object) -> object:
    """The value, or None where it stands for nothing; as soon as it is known."""
    if null_value is None:
        return value
    if not isawaitable(value):
        return None if value == null_value else value

    async def known() -> object:
        found = await value
        return None if found == null_value else found

    return known()


def relation(  # The annotation of the attribute says where it leads.
    description: str, *, name: str = "", mask: str = ""
) -> Any:  # noqa: ANN401
    """A field that leads to another governed object, whose identifier the record holds.

    The object is answered where the viewer may see it; so the field is nullable, but for
    organisations, whose public card everybody sees.

    Args:
        description: English with the Chinese term.
        name: the record's attribute; ``<field>_id`` by default.
        mask: the verb that uncovers it.

    """

    async def resolve(self: Governed, info: Info) -> object:
        field = _current_field(info)
        verb = mask_of(self.KIND, field)
        read = attrgetter(column_of(field))
        id = await self.unmasked(info, verb, read) if verb else read(self.record)
        cls = node_type(info, _return_type_name(info))
        if id is None or cls is None:
            return None
        record = await info.context.load(cls.KIND, cast("UUID", id))
        return None if record is None else cls(record=record)

    return _record_field(
        resolve, description, {ATTRIBUTE_KEY: name, MASK_KEY: mask, RELATION_KEY: True}
    )


def node_type(info: Info, kind: str) -> type[Governed] | None:
    """The API's type of a kind of object, or None where the API has none."""
    definition = info.schema.get_type_by_name(kind)
    origin = definition.origin if isinstance(definition, StrawberryObjectDefinition) else None
    return origin if isinstance(origin, type) and issubclass(origin, Governed) else None


async def load_node(info: Info, kind: str, id: UUID) -> Governed:
    """One object of the API.

    Raises:
        NotFound: no such kind, absent, or not for this viewer.

    """
    cls = node_type(info, kind)
    record = await info.context.load(cls.KIND, id) if cls else None
    if cls is None or record is None:
        raise NotFound
    return cls(record=record)


def column_of(field: StrawberryField) -> str:
    """The record's attribute that a field reads; the field's own name where it computes."""
    named = field.metadata.get(ATTRIBUTE_KEY, "")
    suffix = "_id" if field.metadata.get(RELATION_KEY) else ""
    return named or f"{field.python_name}{suffix}"


def mask_of(kind: Kind, field: StrawberryField) -> str:
    """The verb that uncovers a field; empty where everybody who sees the object sees it."""
    attribute = column_of(field)
    by_kind = (verb for verb, covered in kind.masks.items() if attribute in covered)
    return str(field.metadata.get(MASK_KEY, "")) or next(by_kind, "")


def _record_field(
    resolve: Callable[..., object | Awaitable[object]],
    description: str,
    metadata: Mapping[Any, object],
) -> StrawberryField:
    # The field's type is the annotation of the attribute; one on the resolver would overrule it.
    resolve.__annotations__.pop("return")
    return cast(
        "StrawberryField",
        strawberry.field(resolver=resolve, description=description, metadata=metadata),
    )


def _current_field(info: Info) -> StrawberryField:
    return info._field  # noqa: SLF001 - Strawberry names the field in no other way


def _return_type_name(info: Info) -> str:
    named = get_named_type(info._raw_info.return_type)  # noqa: SLF001 - likewise
    return named.name if isinstance(named, GraphQLObjectType) else ""


def _type_definition(cls: type) -> StrawberryObjectDefinition:
    definition = get_object_definition(cls)
    if definition is None:
        raise TypeError(f"{cls.__name__} is no type of the API")
    return definition


def _api_name(field: StrawberryField) -> str:
    head, *rest = (field.graphql_name or field.python_name).split("_")
    return head + "".join(word.capitalize() for word in rest)
