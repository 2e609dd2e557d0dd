"""Lists, declared as data: of what type, narrowed by which fields, in which orders.

Every list takes the same arguments - ``first``/``after`` or ``last``/``before``, ``where``,
``orderBy`` - and is read the
same way: under the row filter, by keyset, never counted unasked.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import cache
from types import new_class
from typing import Annotated, Any, TypeVar, cast

import strawberry
from strawberry.types.field import StrawberryField

from registry.access.kinds import Kind
from registry.reading.keyset import (
    ColumnFilter,
    Operator,
    Ordering,
    PageRequest,
    check_value_count,
    load_page,
    sum_visible,
)
from schema.framework.connections import Connection, ListQuery, build_connection
from schema.framework.context import Info
from schema.framework.enums import definition_of, describe_enum
from schema.framework.global_ids import parse_id_of_kind
from schema.framework.governed import Governed, node_type
from schema.framework.inputs import NODE_ID_KEY
from schema.framework.projected import PROJECTION_KEY
from schema.framework.scalars import Money

A = TypeVar("A")


@strawberry.input(description="Narrow by a word or code 按文本筛选.")
class TextFilter:
    """Both may be given; both must then hold."""

    eq: str | None = strawberry.field(default=strawberry.UNSET, description="Exactly this 等于.")
    in_: list[str] | None = strawberry.field(
        name="in",
        default=strawberry.UNSET,
        description="One of these, at most 100 属于.",
        metadata={},
    )


@strawberry.input(description="Narrow by time 按时间筛选.")
class TimeFilter:
    """Both may be given; both must then hold."""

    gte: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="At or after 不早于."
    )
    lt: datetime | None = strawberry.field(default=strawberry.UNSET, description="Before 早于.")


@cache
def _enum_filter(words: type[Enum]) -> type:
    """The filter by a column that holds words of an enum."""
    fields = {
        "eq": strawberry.field(default=strawberry.UNSET, description="Exactly this 等于."),
        "in_": strawberry.field(
            name="in", default=strawberry.UNSET, description="One of these, at most 100 属于."
        ),
    }
    name = f"{definition_of(words).name}Filter"
    annotations = {"eq": words | None, "in_": list[words] | None}  # type: ignore[valid-type]  # A value.
    return strawberry.input(
        type(name, (), {"__annotations__": annotations, **fields}),
        description="Narrow by the values of an enum 按枚举值筛选.",
    )


@dataclass(frozen=True, slots=True)
class FilterSpec:
    """A field by which a list may be narrowed.

    Attributes:
        description: English with the Chinese term.
        column: the column of the table, never a word of the request.
        kind: the kind of object an identifier names; empty where the field is a text or time.
        words: the enum of the words that the column holds.
        is_time: the column holds moments.
        is_array: the column holds many identifiers, of which one is asked for.

    """

    description: str
    column: str
    kind: str = ""
    words: type[Enum] | None = None
    is_time: bool = False
    is_array: bool = False

    @property
    def input_type(self) -> type:
        """The type of the filter in the API."""
        if self.words is not None:
            return _enum_filter(self.words)
        return strawberry.ID if self.kind else TimeFilter if self.is_time else TextFilter

    def to_filters(self, name: str, filter_input: Any) -> Iterator[ColumnFilter]:  # noqa: ANN401 - one of three types
        """What was asked, as conditions."""
        if self.kind:
            key = parse_id_of_kind(self.kind, filter_input, field=f"where.{name}")
            yield ColumnFilter(self.column, "contains" if self.is_array else "eq", key)
            return
        for each in dataclasses.fields(filter_input):
            value = getattr(filter_input, each.name)
            if value is None or value is strawberry.UNSET:
                continue
            check_value_count(f"where.{name}", value)
            yield ColumnFilter(self.column, _OPERATORS[each.name], value)


@dataclass(frozen=True, slots=True)
class TotalSpec:
    """A total of money over a whole list, counted because it is asked.

    Attributes:
        description: English with the Chinese term.
        column: what is added up, of the rows on which the viewer may see it.

    """

    description: str
    column: str


@dataclass(frozen=True, slots=True)
class ListSpec:
    """How a list is declared.

    Attributes:
        kind: of which objects.
        orders: the orders a client may choose, the first by default.
        where: the fields a client may narrow by.
        parent: the column that points to the object the field belongs to; empty for a root field.
        totals: what may be added up.

    """

    kind: Kind
    orders: Mapping[str, Ordering]
    where: Mapping[str, FilterSpec]
    parent: str = ""
    totals: Mapping[str, TotalSpec] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SharedList:
    """A list that stands in several places, declared before the type of its objects.

    Attributes:
        module: where that type stands.
        totals: totals of money that a client may ask for, by their names.

    """

    kind: Kind
    module: str
    orders: Mapping[str, Ordering]
    where: Mapping[str, FilterSpec]
    totals: Mapping[str, TotalSpec] = field(default_factory=dict)


def list_field(
    cls: type[Governed],
    description: str,
    *,
    orders: Mapping[str, Ordering],
    where: Mapping[str, FilterSpec],
) -> StrawberryField:
    """A root field that is a list of ``cls``.

    Args:
        cls: the type of the objects.
        description: English with the Chinese term.
        orders: the orders a client may choose, the first by default.
        where: the fields a client may narrow by.

    """
    return _connection_field(ListSpec(cls.KIND, orders, where), cls, description)


def shared_list(declaration: SharedList, description: str, *, parent: str = "") -> StrawberryField:
    """A field that is a list of what belongs to something.

    Args:
        declaration: how the list is declared.
        description: English with the Chinese term.
        parent: the column that points to the object the field belongs to; empty for a root field.

    """
    to = Annotated[declaration.kind.name, strawberry.lazy(declaration.module)]  # type: ignore[name-defined]  # A value.
    return _connection_field(
        ListSpec(
            declaration.kind, declaration.orders, declaration.where, parent, declaration.totals
        ),
        to,
        description,
    )


def _connection_field(spec: ListSpec, to: Any, description: str) -> StrawberryField:  # noqa: ANN401 - a type
    order_type = _order_type(spec.kind, tuple(spec.orders))
    where_type = _where_type(spec.kind, spec.where)
    default = next(iter(order_type))

    async def resolve(  # noqa: PLR0913, PLR0917 - the arguments every list has in the API
        self: Any,  # noqa: ANN401 - a root or a governed object
        info: Info,
        first: int | None = strawberry.UNSET,
        after: str | None = strawberry.UNSET,
        last: int | None = strawberry.UNSET,
        before: str | None = strawberry.UNSET,
        where: Any = strawberry.UNSET,  # noqa: ANN401 - annotated below
        order_by: Any = default,  # noqa: ANN401 - annotated below
    ) -> Any:  # noqa: ANN401 - annotated below
        matches = tuple(_filters(spec.where, where))
        if spec.parent:
            matches = (*matches, ColumnFilter(spec.parent, "eq", self.record.pk))
        viewer, kind = await info.context.viewer(), spec.kind
        wanted = PageRequest(
            _none_if_unset(first),
            _none_if_unset(after),
            _none_if_unset(last),
            _none_if_unset(before),
        )
        order = spec.orders[order_by.value]
        found = await load_page(viewer, kind, order, wanted, filters=matches)
        cls = node_type(info, kind.name)
        assert cls is not None, "every list is of a type of the API"
        return build_connection(cls, found, ListQuery(viewer, kind, matches))

    resolve.__annotations__ |= {
        "where": where_type | None,
        "order_by": order_type,
        "return": _connection_type(spec, to),
    }
    made = strawberry.field(
        resolver=resolve, description=description, metadata={PROJECTION_KEY: spec}
    )
    return cast("StrawberryField", made)


def _none_if_unset(argument: A | None) -> A | None:
    """The argument, or None where the client left it out."""
    return None if argument is strawberry.UNSET else argument


def _filters(specs: Mapping[str, FilterSpec], where: object) -> Iterator[ColumnFilter]:
    for name, by in specs.items():
        asked = getattr(where, name, None)
        if asked is not None and asked is not strawberry.UNSET:
            yield from by.to_filters(name, asked)


_OPERATORS: dict[str, Operator] = {"eq": "eq", "in_": "in", "gte": "gte", "lt": "lt"}

_types_by_name: dict[str, Any] = {}
"""Filter and order types by name: a list of the same type elsewhere uses the same."""


def _connection_type(spec: ListSpec, to: Any) -> Any:  # noqa: ANN401 - a type of the API
    """The page's type, with the totals that the list offers."""
    if not spec.totals:
        return Connection[to]
    name = f"{spec.kind.name}Connection"
    if name not in _types_by_name:
        totals = {name: _total_field(spec.kind, each) for name, each in spec.totals.items()}
        made = new_class(name, (Connection[to],), exec_body=lambda body: body.update(totals))
        _types_by_name[name] = strawberry.type(
            made, name=name, description="One page of a list 列表页."
        )
    return _types_by_name[name]


def _total_field(kind: Kind, spec: TotalSpec) -> StrawberryField:
    async def resolve(self: Connection[Any]) -> Money:
        matches = self.list_query.filters
        return Money(await sum_visible(self.list_query.viewer, kind, spec.column, filters=matches))

    return cast("StrawberryField", strawberry.field(resolver=resolve, description=spec.description))


_ORDER_TEXTS = {
    "newest": "Newest first 最新优先",
    "oldest": "Oldest first 最早优先",
    "changed": "Last changed first 最近变更优先",
    "name": "By name 按名称",
    "number": "By number 按编号",
    "title": "By title 按名称",
    "subject": "By login name 按登录名",
    "kind": "By kind 按类别",
}


def _order_type(kind: Kind, names: tuple[str, ...]) -> Any:  # noqa: ANN401 - a new enum
    name = f"{kind.name}Order"
    if name not in _types_by_name:
        made = Enum(name, {order.upper(): order for order in names})  # type: ignore[misc]  # Names come from the declaration.
        texts = {order: _ORDER_TEXTS[order] for order in names}
        _types_by_name[name] = describe_enum(made, "The order of a list 排序方式.", **texts)
    return _types_by_name[name]


def _where_type(kind: Kind, where: Mapping[str, FilterSpec]) -> Any:  # noqa: ANN401 - a new type
    name = f"{kind.name}Where"
    if name not in _types_by_name:
        fields = {
            asked: strawberry.field(
                default=strawberry.UNSET,
                description=by.description,
                metadata={NODE_ID_KEY: by.kind} if by.kind else {},
            )
            for asked, by in where.items()
        }
        annotations = {asked: by.input_type | None for asked, by in where.items()}
        _types_by_name[name] = strawberry.input(
            type(name, (), {"__annotations__": annotations, **fields}),
            description="By what the list is narrowed; all must hold 筛选条件.",
        )
    return _types_by_name[name]
