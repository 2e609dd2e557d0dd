"""Generates valid queries over a whole schema.

A response key is used once in a selection, or again for the very same field; so no document is
refused because its fields cannot be merged, and many have fields that are.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
)

from tests.reading.argument_generator import ArgumentGenerator, Composite, VariableValues

LEVELS = 6
FIELDS_MAX = 30
RARE = frozenset({"permissions", "explainPermission", "ruleBook", "rateLimit"})
"""Fields without a plan appear beside the others now and then."""


@dataclass(frozen=True, slots=True)
class GeneratedQuery:
    """A document and two sets of variables for it."""

    document: str
    variables: tuple[VariableValues, VariableValues]


@dataclass
class Scope:
    """The response keys of one selection, whichever fragment they stand in."""

    calls: dict[str, tuple[str, str]] = field(default_factory=dict)
    selections: dict[str, "Scope"] = field(default_factory=dict)
    again: list[tuple[str, str, GraphQLField, Composite]] = field(default_factory=list)


class QueryGenerator:
    """Writes one document."""

    def __init__(self, schema: GraphQLSchema, sender: ArgumentGenerator) -> None:
        self._schema = schema
        self._arguments = sender
        self._random: random.Random = sender.random
        self._fragments: list[tuple[str, Composite, str]] = []
        self._remaining_fields = self._random.randint(1, FIELDS_MAX)
        self._keys = 0

    def generate(self) -> GeneratedQuery:
        """A query of one to three fields of the root, and what is sent with it."""
        root = self._schema.query_type
        assert root is not None, "the schema has queries"
        selection = self._selection(root, LEVELS, Scope(), most=3)
        head = "query Asked" if self._random.random() < 0.5 else "query"
        declared = ", ".join(self._arguments.declarations)
        operation = f"{head}{f'({declared})' if declared else ''} {selection}"
        fragments = [f"fragment {name} on {on} {text}" for name, on, text in self._fragments]
        # Fragments may come first or last.
        parts = [operation, *fragments] if self._random.random() < 0.5 else [*fragments, operation]
        return GeneratedQuery("\n".join(parts), self._arguments.variables())

    def _selection(self, of: Composite, levels: int, scope: Scope, *, most: int = 6) -> str:
        parts = list(self._parts(of, levels, scope, self._random.randint(1, most)))
        return f"{{ {' '.join(parts) or '__typename'} }}"

    def _parts(self, of: Composite, levels: int, scope: Scope, number: int) -> Iterator[str]:
        for _ in range(number):
            self._remaining_fields -= 1
            if self._remaining_fields < 0:
                return
            way = self._random.random()
            if way < 0.06:
                yield f"{self._key('__typename', 'String!', scope)}{self._arguments.directive()}"
            elif way < 0.14:
                yield self._inline(of, levels, scope)
            elif way < 0.20 and levels > 0:
                yield self._spread(of, levels)
            elif way < 0.30 and scope.again:
                yield self._repeat(of, levels, scope)
            else:
                yield self._field(of, levels, scope)

    # Fragments.

    def _inline(self, of: Composite, levels: int, scope: Scope) -> str:
        on = self._narrower(of)
        said = f"... on {on.name}" if on is not of or self._random.random() < 0.5 else "..."
        return f"{said}{self._arguments.directive()} {self._selection(on, levels, scope, most=3)}"

    def _spread(self, of: Composite, levels: int) -> str:
        known = [(name, on) for name, on, _ in self._fragments if self._fits(on, of)]
        if known and self._random.random() < 0.5:
            name, _ = self._random.choice(known)
        else:
            on = self._narrower(of)
            # It may be spread anywhere: all its keys are its own.
            text = self._selection(on, min(levels, 3), Scope(calls={"": ("own", "")}), most=4)
            name = f"F{len(self._fragments)}"
            self._fragments.append((name, on, text))
        return f"...{name}{self._arguments.directive()}"

    def _narrower(self, of: Composite) -> Composite:
        """The type itself, or one that its objects may be of."""
        if not isinstance(of, GraphQLInterfaceType):
            above: list[Composite] = [of, of, *of.interfaces]
            return self._random.choice(above)
        found = self._schema.get_implementations(of)
        below: list[Composite] = [of, *found.objects, *found.interfaces]
        return self._random.choice(below)

    def _fits(self, fragment: Composite, of: Composite) -> bool:
        return bool(self._possible(fragment) & self._possible(of))

    def _possible(self, of: Composite) -> set[str]:
        if isinstance(of, GraphQLInterfaceType):
            return {each.name for each in self._schema.get_possible_types(of)}
        return {of.name}

    # Fields.

    def _field(self, of: Composite, levels: int, scope: Scope) -> str:
        fields = [
            (name, each)
            for name, each in of.fields.items()
            if levels > 0 or is_leaf_type(get_named_type(each.type))
        ]
        if not fields:
            return self._key("__typename", "String!", scope)
        name, definition = self._random.choice(fields)
        if name in RARE and self._random.random() < 0.8:
            name, definition = self._random.choice(fields)
        call = name + self._arguments.arguments(of, name, definition, deep=levels < LEVELS)
        key = self._key(call, str(definition.type), scope)
        named = get_named_type(definition.type)
        below = scope.selections.setdefault(key, Scope())
        if not is_leaf_type(named):
            scope.again.append((key, key, definition, of))
        return f"{key}{self._arguments.directive()}{self._below(named, levels, below)}"

    def _repeat(self, of: Composite, levels: int, scope: Scope) -> str:
        """A field that is asked already, to be merged with it."""
        fitting = [each for each in scope.again if each[3] is of]
        if not fitting:
            return self._field(of, levels, scope)
        key, call, definition, _ = self._random.choice(fitting)
        named = get_named_type(definition.type)
        below = self._below(named, levels, scope.selections[key])
        return f"{call}{self._arguments.directive()}{below}"

    def _below(self, named: GraphQLNamedType, levels: int, scope: Scope) -> str:
        if is_leaf_type(named):
            return ""
        assert isinstance(named, GraphQLObjectType | GraphQLInterfaceType)
        return f" {self._selection(named, levels - 1, scope)}"

    def _key(self, call: str, type: str, scope: Scope) -> str:
        """The call, renamed where its name is taken by another; now and then for nothing."""
        name = call.partition("(")[0]
        said = (call, type)
        free = "" not in scope.calls and scope.calls.get(name, said) == said
        if free and self._random.random() < 0.85:
            scope.calls[name] = said
            return call
        self._keys += 1
        return f"k{self._keys}: {call}"


def roots_of(schema: GraphQLSchema) -> Sequence[str]:
    """The root fields."""
    assert schema.query_type is not None, "the schema has queries"
    return list(schema.query_type.fields)
