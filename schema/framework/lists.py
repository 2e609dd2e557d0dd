"""Lists, declared as data: of what type, narrowed by which fields, in which orders.

Every list takes the same arguments - ``first``/``after`` or ``last``/``before``, ``where``,
``orderBy`` - and is read the same way: under the row filter, by keyset, counted only on request.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from types import new_class
from typing import Annotated, Any, ClassVar, Protocol, cast

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from policies.vocabulary import Text
from registry.access.kinds import Kind
from registry.kernel.quantities import Money, Price, Quantity
from registry.reading.catalog import ConnectionField, FilterField
from registry.reading.keyset import Ordering
from schema.framework.connections import Connection
from schema.framework.directives import Codes, Refers
from schema.framework.enums import expose_enum
from schema.framework.fields import FieldArgument, projected_field
from schema.framework.global_ids import parse_id_of_kind
from schema.framework.inputs import NODE_ID_KEY


def _input(name: str, description: str, **fields: tuple[Any, str]) -> type:
    """An input in which each field, given by its type and description, may be left out."""
    body: dict[str, Any] = {
        field: strawberry.field(
            name=field.rstrip("_"), default=strawberry.UNSET, description=described
        )
        for field, (_, described) in fields.items()
    }
    body["__annotations__"] = {field: of | None for field, (of, _) in fields.items()}
    return strawberry.input(type(name, (), body), name=name, description=description)


NameFilter = _input(
    "NameFilter",
    "Narrow by a name or a part of it 按名称筛选.",
    eq=(str, "Exactly this 等于."),
    in_=(list[str], "One of these, at most 100 属于."),
    contains=(str, "Has this part, 2 to 100 characters, in any case and width 包含."),
)
DateFilter = _input(
    "DateFilter",
    "Narrow by date 按日期筛选.",
    gte=(date, "On or after 不早于."),
    lt=(date, "Before 早于."),
)
YearFilter = _input(
    "YearFilter", "Narrow by year 按年度筛选.", gte=(int, "From 不早于."), lt=(int, "Before 早于.")
)
PriceFilter = _input(
    "PriceFilter",
    "Narrow by price 按单价筛选.",
    gte=(Price, "At least 不低于."),
    lt=(Price, "Below 低于."),
)
QuantityFilter = _input(
    "QuantityFilter",
    "Narrow by quantity in the instrument's unit 按数量筛选.",
    gte=(Quantity, "At least 不少于."),
    lt=(Quantity, "Less than 少于."),
)
TimeFilter = _input(
    "TimeFilter",
    "Narrow by time 按时间筛选.",
    gte=(datetime, "At or after 不早于."),
    lt=(datetime, "Before 早于."),
)


@dataclass(frozen=True, slots=True)
class FilterSpec:
    """A field by which a list may be narrowed."""

    description: str
    column: str  # The column of the table, never a word of the request.
    kind: str = ""  # The kind of object an identifier names.
    words: type[Enum] | None = None  # The enum of the words that the column holds.
    codes: str = ""  # The type of reference data whose codes the column holds.
    # The filter input, where not a list of the values of which one must hold.
    form: type | None = None
    expression: str = ""  # See ``FilterField``.
    index_condition: str = ""  # Likewise.
    is_array: bool = False  # The column holds many identifiers, of which one is asked for.
    is_number: bool = False  # The column holds numbers in their comparison form.

    @property
    def input_type(self) -> Any:  # noqa: ANN401 - a type
        return strawberry.ID if self.kind else self.form or list[self.words or str]  # type: ignore[misc]  # A value.

    @property
    def directives(self) -> list[object]:
        """The directives of the filter in the printed schema."""
        if self.kind:
            return [Refers(kind=self.kind)]
        return [Codes(of=self.codes)] if self.codes else []

    def to_filter_field(self, name: str) -> FilterField:
        def parse(sent: str) -> object:
            return parse_id_of_kind(self.kind, sent, field=f"where.{name}")

        return FilterField(
            self.column,
            self.expression,
            self.index_condition,
            self.is_array,
            parse if self.kind else None,
            self.is_number or self.form is NameFilter,
        )


@dataclass(frozen=True, slots=True)
class TotalSpec:
    """A total of money over a whole list, counted because it is asked."""

    description: str
    column: str


@dataclass(frozen=True, slots=True)
class SharedList:
    """A list used in several types, declared before the type of its objects."""

    node_type: str  # Of which objects.
    module: str  # The module of that type.
    orders: Mapping[str, Ordering]  # The orders a client may choose, the first by default.
    where: Mapping[str, FilterSpec] = field(default_factory=dict)
    # Totals of money that a client may ask for, by their names.
    totals: Mapping[str, TotalSpec] = field(default_factory=dict)


class _TypeOfKind(Protocol):
    KIND: ClassVar[Kind]


def list_field(
    cls: type[_TypeOfKind],
    description: str,
    *,
    orders: Mapping[str, Ordering],
    where: Mapping[str, FilterSpec],
) -> StrawberryField:
    """A root field that is a list of ``cls``."""
    return _connection_field(SharedList(cls.KIND.name, "", orders, where), cls, description, "")


def shared_list(declaration: SharedList, description: str, *, parent: str = "") -> StrawberryField:
    """A field that is a list of what belongs to something.

    Args:
        parent: the column that points to the object the field belongs to; empty for a root field.

    """
    to = Annotated[declaration.node_type, strawberry.lazy(declaration.module)]  # type: ignore[name-defined]  # A value.
    return _connection_field(declaration, to, description, parent)


def _connection_field(spec: SharedList, to: Any, description: str, parent: str) -> StrawberryField:  # noqa: ANN401 - a type
    order_type = _order_type(spec)
    connection = ConnectionField(
        node_type=spec.node_type,
        orders=spec.orders,
        filters={to_camel_case(name): by.to_filter_field(name) for name, by in spec.where.items()},
        parent_column=parent,
        totals={to_camel_case(name): total.column for name, total in spec.totals.items()},
    )
    optional = {"first": int, "after": str, "last": int, "before": str}
    if spec.where:
        optional["where"] = _where_type(spec)
    arguments = {name: FieldArgument(type | None) for name, type in optional.items()}
    arguments["order_by"] = FieldArgument(order_type, next(iter(order_type)))
    declared = projected_field(description, connection, arguments=arguments)
    declared.type_annotation = StrawberryAnnotation(_connection_type(spec, to))
    return cast("StrawberryField", declared)


_types_by_name: dict[str, Any] = {}
"""Filter and order types by name: a list of the same type elsewhere uses the same."""


def _connection_type(spec: SharedList, to: Any) -> Any:  # noqa: ANN401 - a type of the API
    """The page's type, with the totals that the list offers."""
    if not spec.totals:
        return Connection[to]
    name = f"{spec.node_type}Connection"
    if name not in _types_by_name:
        body: dict[str, Any] = {
            name: strawberry.field(description=total.description)
            for name, total in spec.totals.items()
        }
        body["__annotations__"] = dict.fromkeys(spec.totals, Money)
        made = new_class(name, (Connection[to],), exec_body=lambda new: new.update(body))
        _types_by_name[name] = strawberry.type(
            made, name=name, description="One page of a list 列表页."
        )
    return _types_by_name[name]


_ORDER_TEXTS = {
    "newest": Text("Newest first", "最新优先"),
    "oldest": Text("Oldest first", "最早优先"),
    "changed": Text("Last changed first", "最近变更优先"),
    "name": Text("By name", "按名称"),
    "number": Text("By number", "按编号"),
    "title": Text("By title", "按名称"),
    "subject": Text("By login name", "按登录名"),
    "kind": Text("By kind", "按类别"),
    "city": Text("By city", "按设区的市"),
}


def _order_type(spec: SharedList) -> Any:  # noqa: ANN401 - a new enum
    name = f"{spec.node_type}Order"
    if name not in _types_by_name:
        # No text, as stored words are: an order decides the statement.
        made = Enum(name, {order.upper(): order for order in spec.orders})  # type: ignore[misc]  # Names come from the declaration.
        made.__doc__ = "The order of a list 排序方式."
        expose_enum(made, texts=_ORDER_TEXTS)
        _types_by_name[name] = made
    return _types_by_name[name]


def _where_type(spec: SharedList) -> Any:  # noqa: ANN401 - a new type
    name = f"{spec.node_type}Where"
    if name not in _types_by_name:
        fields = {
            asked: strawberry.field(
                default=strawberry.UNSET,
                description=by.description,
                metadata={NODE_ID_KEY: by.kind} if by.kind else {},
                directives=by.directives,
            )
            for asked, by in spec.where.items()
        }
        annotations = {asked: by.input_type | None for asked, by in spec.where.items()}
        _types_by_name[name] = strawberry.input(
            type(name, (), {"__annotations__": annotations, **fields}),
            description="All must hold; of a list of values, at most 100, one 筛选条件.",
        )
    return _types_by_name[name]
