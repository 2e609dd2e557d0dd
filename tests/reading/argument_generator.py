"""The arguments of invented queries: right ones and wrong ones, written out or as variables."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    Undefined,
    get_named_type,
)

from tests.robustness.document_fuzzer import WORDS

Composite = GraphQLObjectType | GraphQLInterfaceType

VariableValues = dict[str, Any]

_OMITTED = object()
_PAGES = ("first", "last", "after", "before")
_WELL, _SELDOM, _AS_VARIABLE = 0.93, 0.04, 0.3


_DECIMALS = ("0.01", "1.00", "6000.00", "7500")


@dataclass(frozen=True, slots=True)
class ExistingValues:
    """Values of the database that a query may name.

    Attributes:
        ids: identifiers, by the kind of object.
        cursors: places in lists, by type and order.
        words: texts that a filter finds, by the type of the filter and its field.
        instants: around which something happened.
        days: likewise.
        numbers: of certificates.

    """

    ids: Mapping[str, Sequence[str]]
    cursors: Mapping[tuple[str, str], Sequence[str]]
    words: Mapping[tuple[str, str], Sequence[str]]
    instants: Sequence[str]
    days: Sequence[str]
    numbers: Sequence[str]

    @property
    def kinds(self) -> Sequence[str]:
        """The kinds that there are objects of."""
        return [kind for kind, ids in self.ids.items() if ids]


@dataclass
class Variable:
    """A declared variable and its two values."""

    name: str
    type: str
    values: tuple[object, object]
    default: str = ""
    position_type: str = ""


@dataclass
class ArgumentGenerator:
    """Writes the arguments of one document and gathers its variables."""

    existing: ExistingValues
    random: random.Random
    generated_variables: list[Variable] = field(default_factory=list)

    @property
    def declarations(self) -> list[str]:
        """The variables as the operation declares them."""
        return [
            f"${each.name}: {each.type}{f' = {each.default}' if each.default else ''}"
            for each in self.generated_variables
        ]

    def variables(self) -> tuple[VariableValues, VariableValues]:
        """Both sets of values."""
        first, second = (
            {
                each.name: each.values[number]
                for each in self.generated_variables
                if each.values[number] is not _OMITTED
            }
            for number in (0, 1)
        )
        return first, second

    def directive(self) -> str:
        """Seldom one."""
        if self.random.random() > 0.08:
            return ""
        name = self.random.choice(("include", "skip"))
        if self.random.random() < 0.4:
            return f" @{name}(if: {self.random.choice(('true', 'false'))})"
        made = self._variable("Boolean!", (self._boolean(), self._boolean()), place="Boolean")
        return f" @{name}(if: {made})"

    def arguments(
        self,
        of: Composite,
        name: str,
        definition: GraphQLField,
        *,
        deep: bool,
    ) -> str:
        """The arguments of a field, in parentheses."""
        args = definition.args
        said: dict[str, str] = {}
        if "before" in args:
            said |= self._page(definition, deep=deep)
        for key, argument in args.items():
            if key in _PAGES and "before" in args:
                continue
            required = isinstance(argument.type, GraphQLNonNull)
            optional = not required or argument.default_value is not Undefined
            if optional and self.random.random() < 0.5:
                continue
            hint = f"{of.name}.{name}.{key}"
            said[key] = self._argument(argument.type, hint, has_default=_has_default(argument))
        if not said:
            return ""
        pairs = [f"{key}: {value}" for key, value in said.items()]
        self.random.shuffle(pairs)
        return f"({', '.join(pairs)})"

    # Pages.

    def _page(self, definition: GraphQLField, *, deep: bool) -> dict[str, str]:
        order = str(get_named_type(definition.args["orderBy"].type).name)
        backward = self.random.random() < 0.35
        size, other = ("last", "first") if backward else ("first", "last")
        said = {size: self._size(deep=deep)}
        if self.random.random() < 0.15:
            said[other] = "2" if self.random.random() < _SELDOM else self._null("Int")
        for end in ("after", "before"):
            likely = 0.35 if (end == "before") == backward else 0.06
            if self.random.random() < likely:
                said[end] = self._cursor(order)
        return said

    def _size(self, *, deep: bool) -> str:
        def size() -> int:
            if self.random.random() < _SELDOM:
                return self.random.choice((0, -1, 101))
            return self.random.choice((1, 2, 3) if deep else (1, 2, 3, 5, 20))

        if self.random.random() > _AS_VARIABLE:
            return str(size())
        type = self.random.choice(("Int", "Int!", "Int = "))
        default = str(size()) if type.endswith("= ") else ""
        values = (size(), _OMITTED if default and self.random.random() < 0.5 else size())
        return self._variable(type.removesuffix(" = "), values, default=default, place="size")

    def _cursor(self, order: str) -> str:
        way = self.random.random()
        if way < 0.12:
            return self._null("String")
        cursors = self._cursors(order)
        if way < 0.4:
            pair = (self.random.choice(cursors), self.random.choice(cursors))
            return self._variable("String", pair, place=order)
        return json.dumps(self.random.choice(cursors))

    def _cursors(self, order: str) -> Sequence[str]:
        """Those of the list, or of the list in another order; seldom those of any."""
        way = self.random.random()
        own = [each for (kind, _), found in self.existing.cursors.items() if kind == order
               for each in found]  # fmt: skip
        if own and way < _WELL:
            return own
        everything = [each for found in self.existing.cursors.values() for each in found]
        return (*everything, "", "no cursor", "WzEsIDJd")

    def _null(self, type: str) -> str:
        if self.random.random() < 0.5:
            return "null"
        values = (self.random.choice((None, _OMITTED)), self.random.choice((None, _OMITTED)))
        return self._variable(type, values, place="nothing")

    # Values.

    def _argument(self, type: GraphQLInputType, hint: str, *, has_default: bool = False) -> str:
        """A value, or a variable with it."""
        if self.random.random() < _AS_VARIABLE:
            return self._as_variable(type, hint, has_default=has_default)
        if not isinstance(type, GraphQLNonNull) and self.random.random() < 0.1:
            return "null"
        inner = type.of_type if isinstance(type, GraphQLNonNull) else type
        if isinstance(inner, GraphQLList):
            if self.random.random() < 0.1:
                # A single value is coerced to a list of one.
                return _literal(inner.of_type, self._value(inner.of_type, hint))
            items = [self._argument(inner.of_type, hint) for _ in range(self._length())]
            return f"[{', '.join(items)}]"
        if isinstance(inner, GraphQLInputObjectType):
            parts = [
                f"{name}: {self._argument(each.type, _below(inner, hint, name))}"
                for name, each in self._random_fields(inner)
            ]
            return f"{{{', '.join(parts)}}}"
        return _literal(inner, self._value(inner, hint))

    def _as_variable(self, type: GraphQLInputType, hint: str, *, has_default: bool) -> str:
        required = isinstance(type, GraphQLNonNull)
        inner = type.of_type if isinstance(type, GraphQLNonNull) else type
        ways = ["required", "default"] if required else ["required", "default", "plain"]
        way = "plain" if required and has_default and self.random.random() < 0.3 else (
            self.random.choice(ways)
        )  # fmt: skip
        place = f"{inner}|{hint.partition('.')[2] if '.' in hint else hint}"
        used = [
            v
            for v in self.generated_variables
            if v.position_type == place and v.type == f"{inner}!"
        ]
        if used and self.random.random() < 0.5:
            return f"${self.random.choice(used).name}"
        values = [self._value(inner, hint) for _ in range(2)]
        default = ""
        if way == "default":
            default = _literal(inner, self._value(inner, hint))
        if way != "required":
            # A null where there is a promise is refused; that must be alike too.
            absent = (_OMITTED, None) if not required else (_OMITTED, _OMITTED, _OMITTED, None)
            values = [self.random.choice((value, self.random.choice(absent))) for value in values]
        declared = f"{inner}!" if way == "required" else str(inner)
        first, second = values
        return self._variable(declared, (first, second), default=default, place=place)

    def _variable(
        self, type: str, values: tuple[object, object], *, default: str = "", place: str = ""
    ) -> str:
        name = f"v{len(self.generated_variables)}"
        self.generated_variables.append(Variable(name, type, values, default, place))
        return f"${name}"

    def _value(self, type: GraphQLInputType, hint: str) -> Any:  # noqa: ANN401 - of any type
        if isinstance(type, GraphQLNonNull):
            return self._value(type.of_type, hint)
        if isinstance(type, GraphQLList):
            return [self._value(type.of_type, hint) for _ in range(self._length())]
        if isinstance(type, GraphQLInputObjectType):
            return {
                name: None
                if not isinstance(each.type, GraphQLNonNull) and self.random.random() < 0.1
                else self._value(each.type, _below(type, hint, name))
                for name, each in self._random_fields(type)
            }
        if isinstance(type, GraphQLEnumType):
            return self.random.choice(list(type.values))
        return self._scalar(get_named_type(type).name, hint)

    def _scalar(self, name: str, hint: str) -> Any:  # noqa: ANN401 - of any scalar
        if name == "Int":
            return self.random.choice(
                (1, 2, 3, 100) if self._is_valid() else (0, 101, -1, 2**31 - 1)
            )
        if name == "Boolean":
            return self._boolean()
        if name == "ID":
            return self._id(hint)
        values = {
            "DateTime": self.existing.instants,
            "Date": self.existing.days,
            "Price": _DECIMALS,
            "Quantity": _DECIMALS,
        }.get(name)
        return self.random.choice(values) if values else self._text(hint)

    def _text(self, hint: str) -> str:
        if hint.endswith("certificate.number"):
            words = self.existing.numbers
        elif hint.endswith("counties.city"):
            words = ("130200", "131000", "139001", "")
        elif hint.endswith(".verb") and not self._is_valid():
            words = ("bootstrap",)
        elif hint.endswith(("why.kind", "permissions.kind")):
            words = self.existing.kinds
        else:
            of, _, name = hint.rpartition(".")
            words = self.existing.words.get((of, name), ())
        if words and self._is_valid():
            return self.random.choice(words)
        return self.random.choice(WORDS)

    def _id(self, hint: str) -> str:
        name = hint.rpartition(".")[2]
        kind = _REFERS.get(name, "")
        if not kind or not self._is_valid():
            kind = self.random.choice(self.existing.kinds)
        if self.random.random() < _SELDOM:
            return self.random.choice(("", "x", "扁担", "UGVybWl0OjE"))
        return self.random.choice(self.existing.ids[kind])

    def _random_fields(self, type: GraphQLInputObjectType) -> list[tuple[str, Any]]:
        number = self.random.choice((0, 1, 1, 1, 2, 3))
        fields = list(type.fields.items())
        return self.random.sample(fields, min(number, len(fields)))

    def _length(self) -> int:
        return 101 if self.random.random() < 0.02 else self.random.choice((0, 1, 2, 3))

    def _is_valid(self) -> bool:
        return self.random.random() < _WELL

    def _boolean(self) -> bool:
        return self.random.random() < 0.5


_REFERS = {
    "organisation": "Organisation", "seller": "Organisation", "buyer": "Organisation",
    "party": "Organisation", "person": "Person", "instrument": "Instrument",
}  # fmt: skip


def _below(type: GraphQLInputObjectType, hint: str, name: str) -> str:
    """A filter's operators are asked what its field is asked."""
    return hint if type.name.endswith("Filter") else f"{type.name}.{name}"


def _literal(type: GraphQLInputType, value: Any) -> str:  # noqa: ANN401 - of any type
    """The value as a document says it."""
    if value is None:
        return "null"
    if isinstance(type, GraphQLNonNull):
        return _literal(type.of_type, value)
    if isinstance(type, GraphQLList):
        return f"[{', '.join(_literal(type.of_type, each) for each in value)}]"
    if isinstance(type, GraphQLInputObjectType):
        parts = [
            f"{name}: {_literal(type.fields[name].type, each)}" for name, each in value.items()
        ]
        return f"{{{', '.join(parts)}}}"
    return (
        str(value) if isinstance(type, GraphQLEnumType) else json.dumps(value, ensure_ascii=False)
    )


def _has_default(argument: GraphQLArgument) -> bool:
    return argument.default_value is not Undefined or getattr(argument, "default", None) is not None
