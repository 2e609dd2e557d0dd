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
from types import new_class
from typing import Annotated, Any, TypeVar, cast

import strawberry
from strawberry.types.field import StrawberryField

from registry.access.kinds import Kind
from registry.reading.keyset import Match, Operator, Order, Slice, check_values, page, total
from schema.framework.connections import Connection, Listed, connected
from schema.framework.context import Info
from schema.framework.global_ids import id_of
from schema.framework.governed import Governed, node_type
from schema.framework.inputs import REFERS
from schema.framework.projected import FACED
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


@dataclass(frozen=True, slots=True)
class By:
    """A field by which a list may be narrowed.

    Attributes:
        description: English with the Chinese term.
        column: the column of the table, never a word of the request.
        kind: the kind of object an identifier names; empty where the field is a text or time.
        time: the column holds moments.
        array: the column holds many identifiers, of which one is asked for.

    """

    description: str
    column: str
    kind: str = ""
    time: bool = False
    array: bool = False

    @property
    def input(self) -> type:
        """The type of the filter in the API."""
        return strawberry.ID if self.kind else TimeFilter if self.time else TextFilter

    def matches(self, name: str, asked: Any) -> Iterator[Match]:  # noqa: ANN401 - one of three types
        """What was asked, as conditions."""
        if self.kind:
            key = id_of(self.kind, asked, field=f"where.{name}")
            yield Match(self.column, "contains" if self.array else "eq", key)
            return
        for each in dataclasses.fields(asked):
            value = getattr(asked, each.name)
            if value is None or value is strawberry.UNSET:
                continue
            check_values(f"where.{name}", value)
            yield Match(self.column, _OPERATORS[each.name], value)


@dataclass(frozen=True, slots=True)
class Sum:
    """A total of money over a whole list, counted because it is asked.

    Attributes:
        description: English with the Chinese term.
        column: what is added up, of the rows on which the viewer may see it.

    """

    description: str
    column: str


@dataclass(frozen=True, slots=True)
class Listing:
    """How a list is declared.

    Attributes:
        kind: of which objects.
        orders: the orders a client may choose, the first by default.
        where: the fields a client may narrow by.
        parent: the column that points to the object the field belongs to; empty for a root field.
        sums: what may be added up.

    """

    kind: Kind
    orders: Mapping[str, Order]
    where: Mapping[str, By]
    parent: str = ""
    sums: Mapping[str, Sum] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Belonging:
    """A list that stands in several places, declared before the type of its objects.

    Attributes:
        module: where that type stands.
        sums: totals of money that a client may ask for, by their names.

    """

    kind: Kind
    module: str
    orders: Mapping[str, Order]
    where: Mapping[str, By]
    sums: Mapping[str, Sum] = field(default_factory=dict)


def listing(
    cls: type[Governed],
    description: str,
    *,
    orders: Mapping[str, Order],
    where: Mapping[str, By],
) -> StrawberryField:
    """A root field that is a list of ``cls``.

    Args:
        cls: the type of the objects.
        description: English with the Chinese term.
        orders: the orders a client may choose, the first by default.
        where: the fields a client may narrow by.

    """
    return _listed(Listing(cls.KIND, orders, where), cls, description)


def belonging(of: Belonging, description: str, *, parent: str = "") -> StrawberryField:
    """A field that is a list of what belongs to something.

    Args:
        of: how the list is declared.
        description: English with the Chinese term.
        parent: the column that points to the object the field belongs to; empty for a root field.

    """
    to = Annotated[of.kind.name, strawberry.lazy(of.module)]  # type: ignore[name-defined]  # A value.
    return _listed(Listing(of.kind, of.orders, of.where, parent, of.sums), to, description)


def _listed(declared: Listing, to: Any, description: str) -> StrawberryField:  # noqa: ANN401 - a type
    order_type = _order_type(declared.kind, tuple(declared.orders))
    where_type = _where_type(declared.kind, declared.where)
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
        matches = tuple(_matches(declared.where, where))
        if declared.parent:
            matches = (*matches, Match(declared.parent, "eq", self.record.pk))
        viewer, kind = await info.context.viewer(), declared.kind
        wanted = Slice(_given(first), _given(after), _given(last), _given(before))
        order = declared.orders[order_by.value]
        found = await page(viewer, kind, order, wanted, matches=matches)
        cls = node_type(info, kind.name)
        assert cls is not None, "every list is of a type of the API"
        return connected(cls, found, Listed(viewer, kind, matches))

    resolve.__annotations__ |= {
        "where": where_type | None,
        "order_by": order_type,
        "return": _connection_type(declared, to),
    }
    made = strawberry.field(resolver=resolve, description=description, metadata={FACED: declared})
    return cast("StrawberryField", made)


def _given(argument: A | None) -> A | None:
    """The argument, or None where the client left it out."""
    return None if argument is strawberry.UNSET else argument


def _matches(declared: Mapping[str, By], where: object) -> Iterator[Match]:
    for name, by in declared.items():
        asked = getattr(where, name, None)
        if asked is not None and asked is not strawberry.UNSET:
            yield from by.matches(name, asked)


_OPERATORS: dict[str, Operator] = {"eq": "eq", "in_": "in", "gte": "gte", "lt": "lt"}

_made: dict[str, Any] = {}
"""Filter and order types by name: a list of the same type elsewhere uses the same."""


def _connection_type(declared: Listing, to: Any) -> Any:  # noqa: ANN401 - a type of the API
    """The page's type, with the totals that the list offers."""
    if not declared.sums:
        return Connection[to]
    name = f"{declared.kind.name}Connection"
    if name not in _made:
        totals = {name: _total(declared.kind, each) for name, each in declared.sums.items()}
        made = new_class(name, (Connection[to],), exec_body=lambda body: body.update(totals))
        _made[name] = strawberry.type(made, name=name, description="One page of a list 列表页.")
    return _made[name]


def _total(kind: Kind, sum: Sum) -> StrawberryField:
    async def resolve(self: Connection[Any]) -> Money:
        matches = self.listed.matches
        return Money(await total(self.listed.viewer, kind, sum.column, matches=matches))

    return cast("StrawberryField", strawberry.field(resolver=resolve, description=sum.description))


def _order_type(kind: Kind, names: tuple[str, ...]) -> Any:  # noqa: ANN401 - a new enum
    name = f"{kind.name}Order"
    if name not in _made:
        made = Enum(name, {order.upper(): order for order in names})  # type: ignore[misc]  # Names come from the declaration.
        _made[name] = strawberry.enum(
            made, graphql_name_from="value", description="In which order 排序方式."
        )
    return _made[name]


def _where_type(kind: Kind, where: Mapping[str, By]) -> Any:  # noqa: ANN401 - a new type
    name = f"{kind.name}Where"
    if name not in _made:
        fields = {
            asked: strawberry.field(
                default=strawberry.UNSET,
                description=by.description,
                metadata={REFERS: by.kind} if by.kind else {},
            )
            for asked, by in where.items()
        }
        annotations = {asked: by.input | None for asked, by in where.items()}
        _made[name] = strawberry.input(
            type(name, (), {"__annotations__": annotations, **fields}),
            description="By what the list is narrowed; all must hold 筛选条件.",
        )
    return _made[name]
