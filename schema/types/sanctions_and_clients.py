"""Sanctions and client programs in the API: what bars a body, and what sends its requests."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, cast

import strawberry

from registry.kernel.errors import Malformed
from registry.parties import projections
from registry.parties.facts import CLIENT, SANCTION
from registry.parties.rules import (
    SCOPES_MAX,
    ClientState,
    SanctionKind,
    SanctionState,
)
from registry.reading.enum_names import kind_name_expr
from registry.reading.keyset import MAX_PAGE_SIZE, Ordering
from registry.reading.projections import ColumnExpr, bilingual
from schema.framework.context import Info
from schema.framework.enums import ObjectKind, Verb
from schema.framework.fields import FieldArgument, bounded_list, column, projected_field, relation
from schema.framework.governed import Governed
from schema.framework.lists import FilterSpec, list_field
from schema.types.parties import ORGANISATION_FILTER, Organisation

if TYPE_CHECKING:
    from schema.build import GovernedSchema


@strawberry.type(description="A measure that bars a body from new business 限制交易情形.")
class Sanction(Governed):
    KIND: ClassVar = SANCTION
    CAPTION: ClassVar = projections.SANCTION_CAPTION
    organisation: Organisation = relation("Whom it bars 被限制单位.")
    kind: SanctionKind = column("Which measure 限制交易情形类别.")
    reason: str = column("Why 限制交易原因.")
    source: str = column("The decision it rests on 决定文书.")
    starts_at: datetime = column("From when 起始时间.")
    ends_at: datetime | None = column("Until when; null until it is lifted 截止时间.")
    state: SanctionState = projected_field(
        "Its state now; past its end it is expired 当前状态.", projections.SANCTION_STATE
    )
    lifted_at: datetime | None = column("When it was lifted 解除时间.")
    lifted_reason: str | None = column("Why it was lifted 解除原因.")
    imposed_by: Organisation = relation(
        "Which body imposed it 实施单位.", name="submitting_organisation"
    )
    demo: bool = column("Demonstration data 是否演示数据.")
    effective: bool = projected_field(
        "Whether it bars at a time, now by default 是否有效（可查历史时点）.",
        projections.SANCTION_IN_FORCE,
        arguments={"as_of": FieldArgument(datetime | None)},
    )


@strawberry.type(description="A document that a client sends by its hash 持久化查询.")
class PersistedQuery:
    sha256: str = column("SHA-256 of its text, by which it is sent 摘要.")
    bytes: int = projected_field("Length of its text in UTF-8 字节数.", projections.TEXT_BYTES)
    registered_at: datetime = column("When it was registered 登记时间.")
    retired_at: datetime | None = column("When it was retired; null while it may be sent 停用时间.")


@strawberry.type(description="A verb of the rule book that a client may use 授权范围.")
class ClientScope:
    """A scope of a client."""

    word: str = column("The scope as a token carries it, `Kind:verb` 范围代码.")
    kind: ObjectKind = projected_field(
        "The kind of object 对象类别.", ColumnExpr(kind_name_expr("{t}.kind"))
    )
    verb: Verb = column("The verb 操作.")


@strawberry.type(description="A program that sends requests 接入应用.")
class Client(Governed):
    KIND: ClassVar = CLIENT
    CAPTION: ClassVar = bilingual("{t}.name", "{t}.name")
    name: str = column("The name it signs in with 应用名称.")
    organisation: Organisation = relation("Whose it is 所属单位.")
    first_party: bool = column("One of the registry's own, bound by no scopes 是否本系统应用.")
    scopes: list[ClientScope] = projected_field(
        "The verbs that it may use for its users 授权范围.",
        projections.SCOPES,
        max_items=SCOPES_MAX,
    )
    persisted_queries_only: bool = column(
        "Whether it may send persisted queries only 是否仅限持久化查询."
    )
    state: ClientState = column("Its state 状态.")
    demo: bool = column("Demonstration data 是否演示数据.")
    persisted_queries: list[PersistedQuery] = projected_field(
        "Its persisted queries, newest first, at most 100 持久化查询.",
        projections.PERSISTED_QUERIES,
        arguments={"first": FieldArgument(int, MAX_PAGE_SIZE)},
        check_arguments=bounded_list,
    )


def check_document(info: Info, input: Any) -> None:  # noqa: ANN401 - an input made from an operation
    """Refuse a document that would be refused whenever the program sends it."""
    faults = cast("GovernedSchema", info.schema).document_cache.validation_errors(input.text)
    if faults:
        said = faults[0].message
        raise Malformed(
            "text", f"The document would be refused: {said}", f"该预登记请求将被拒绝：{said}"
        )


@strawberry.type
class SanctionAndClientQuery:
    sanctions = list_field(
        Sanction,
        "Sanctions 限制交易情形.",
        orders={
            "newest": Ordering("starts_at", datetime, descending=True),
            "oldest": Ordering("starts_at", datetime),
        },
        where=ORGANISATION_FILTER
        | {
            "state": FilterSpec(
                "State as of now 当前状态",
                "state",
                words=SanctionState,
                expression=projections.SANCTION_STATE.sql,
            )
        },
    )
    clients = list_field(
        Client,
        "Client programs 接入应用.",
        orders={
            "name": Ordering("name", str),
            "changed": Ordering("changed_at", datetime, descending=True),
        },
        where=ORGANISATION_FILTER
        | {"state": FilterSpec("Whether they may send requests 状态", "state", words=ClientState)},
    )
