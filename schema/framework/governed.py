"""Governed objects in the API: the actions they allow, and their audit log."""

from datetime import datetime
from typing import Annotated, ClassVar

import strawberry
from strawberry.types.base import StrawberryObjectDefinition, get_object_definition
from strawberry.utils.str_converters import to_camel_case

from policies.engine import MAX_NEAR_MISSES, Explanation
from policies.rulebook import MAX_FACTS_PER_TABLE
from registry.access.kinds import Kind
from registry.commands import audit_log
from registry.reading.catalog import AuthorizationField
from registry.reading.projections import EmbeddedObject, RelatedColumn, ToOne, column_expr
from schema.documents.cost import MAX_ITEMS
from schema.framework.enums import ObjectState, OperationName, Role, Verb
from schema.framework.fields import (
    OWN_CAPTION,
    OWN_ID,
    FieldArgument,
    column,
    mask_of,
    projected_field,
)
from schema.framework.lists import SharedList, shared_list
from schema.framework.next_actors import MAX_NEXT_ACTORS, NextActor
from schema.framework.refusals import LocalisedText, NearMiss

_HISTORY = SharedList("AuditEntry", "schema.framework.governed", audit_log.HISTORY_ORDERS)

_ORGANISATION, _PERSON = (
    ToOne("{t}.organisation_id", target_type="Organisation"),
    ToOne("{t}.person_id", target_type="Person"),
)


@strawberry.interface(
    description="An object that can be found again by its identifier 可按标识查找的对象."
)
class Node:
    KIND: ClassVar[Kind]

    id: strawberry.ID = projected_field("Opaque identifier 标识.", OWN_ID)


@strawberry.type(description="Whether one verb is allowed on one object, and why 操作许可说明.")
class ActionExplanation:
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
    def of(cls, state: Explanation) -> "ActionExplanation":
        return cls(
            verb=state.decision.verb,
            allowed=state.decision.allowed,
            rule=state.rule or None,
            legal_basis=LocalisedText.parse_optional(state.legal_basis),
            reasons=[LocalisedText.of(text) for text in state.reasons],
            near_misses=[NearMiss.of(miss) for miss in state.near_misses],
        )


@strawberry.type(description="An act: who, when, in which capacity, under which rule 操作记录.")
class AuditEntry:
    TABLE: ClassVar = "audit_entry"

    id: strawberry.ID = projected_field(
        "Opaque identifier, which the error of a failed answer names 标识.", audit_log.ENTRY_ID
    )
    at: datetime = column("When 办理时间.")
    operation: OperationName = column("The operation that did it 办理事项.")
    verb: Verb = column("The verb of the rule book 操作.")
    role: Role = column("The role in which it was done 办理身份.")
    rule: str = column("The rule that allowed it 许可规则编号.")
    edition: int = column("The edition of the rule book 规则版本.")
    state_before: ObjectState | None = column("The state before 办理前状态.")
    state_after: ObjectState | None = column("The state after 办理后状态.")

    organisation: Annotated["Governed", strawberry.lazy("schema.framework.governed")] | None = (
        projected_field(
            "The organisation that acted, where the viewer may see it 办理单位.", _ORGANISATION
        )
    )
    person: Annotated["Governed", strawberry.lazy("schema.framework.governed")] | None = (
        projected_field("The person who acted, where the viewer may see them 办理人.", _PERSON)
    )
    organisation_name: str | None = projected_field(
        "The name of the organisation that acted 办理单位名称.",
        RelatedColumn(_ORGANISATION, column_expr("name")),
    )
    person_name: str | None = projected_field(
        "The name of the person, where the viewer may see it 办理人姓名.",
        RelatedColumn(_PERSON, column_expr("name")),
    )


@strawberry.interface(description="An object on which the rule book decides 受规则约束的对象.")
class Governed(Node):
    CAPTION: ClassVar[EmbeddedObject]

    caption: LocalisedText = projected_field("The object in one line 名称概要.", OWN_CAPTION)
    available_actions: list[Verb] = projected_field(
        "The verbs this appointment may carry out on it now 当前可办理的操作.",
        AuthorizationField.AVAILABLE_ACTIONS,
    )
    next_actors: list[NextActor] = projected_field(
        "Whose turn it is: the roles in whose work list it can be now 后续办理角色.",
        AuthorizationField.NEXT_ACTORS,
        max_items=MAX_NEXT_ACTORS,
    )
    masked_fields: list[str] = projected_field(
        "Fields that are null because this appointment may not see them 被遮蔽的字段.",
        AuthorizationField.MASKED_FIELDS,
    )
    history = shared_list(_HISTORY, "Its audit entries 办理历史.", parent="object_id")
    state_at: ObjectState | None = projected_field(
        "Its state at a moment; null before its first act 历史时点的状态.",
        audit_log.STATE_AT,
        arguments={"as_of": FieldArgument(datetime)},
    )

    @classmethod
    def masked_by(cls) -> dict[str, str]:
        """The verb that uncovers each masked field, by the field's name in the API."""
        own = _type_definition(cls).fields
        found = ((to_camel_case(field.python_name), mask_of(cls.KIND, field)) for field in own)
        return {name: verb for name, verb in found if verb}


def _type_definition(cls: type) -> StrawberryObjectDefinition:
    definition = get_object_definition(cls)
    if definition is None:
        raise TypeError(f"{cls.__name__} is no type of the API")
    return definition
