"""Documents invented from the schema: any field, with arguments of the right form and of others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLUnionType,
    Undefined,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)
from hypothesis import strategies as st

LEVELS = 3
FIELDS_MAX = 5

WORDS = ("", " ", "SO2", "130000", "131000", "enterprise", "Permit:view", "a'b\"c", "%_\\", "扁担")
LONG = "长" * 2_500
TEXTS = st.one_of(st.sampled_from([*WORDS, LONG]), st.text(max_size=12))
NUMBERS = st.one_of(
    st.sampled_from([0, 1, 2, 100, 101, -1, 2**31 - 1, -(2**31)]), st.integers(-5, 200)
)
VALID: Mapping[str, tuple[str, ...]] = {
    "Quantity": ("0.001", "1.000", "12", "0", "-1", "1e3", "9" * 40, "1.0000001"),
    "Money": ("1.00", "7500.00", "0.00", "-1.00", "1", "9" * 40),
    "Price": ("7500.00", "0.01", "0.00", "99999999999999.99"),
    "Sha256": ("0" * 64, "F" * 64),
    "Date": ("2022-06-07", "2022-02-30", "1900-01-01", "2200-12-31", "0000-00-00"),
    "DateTime": ("2022-06-07T10:00:00+08:00", "2200-12-31T23:59:59Z", "2022-06-07T10:00:00"),
}
PAGES = {"first", "last"}


@dataclass(frozen=True, slots=True)
class FuzzedRequest:
    """A document and its variables."""

    document: str
    variables: dict[str, Any]


class DocumentFuzzer:
    """Invents requests to one schema, about objects that there are and about others."""

    def __init__(self, schema: GraphQLSchema, ids: list[str]) -> None:
        self._schema = schema
        self._ids = st.one_of(st.sampled_from(ids), st.sampled_from(ids), TEXTS)
        self._types_by_name: dict[str, st.SearchStrategy[Any]] = {}

    def requests(self) -> st.SearchStrategy[FuzzedRequest]:
        """A request for one field of a root."""
        roots = [("query", self._schema.query_type), ("mutation", self._schema.mutation_type)]
        fields = [(verb, name, f) for verb, t in roots if t for name, f in t.fields.items()]
        return st.sampled_from(fields).flatmap(lambda each: self._request(*each))

    def _request(
        self, verb: str, name: str, field: GraphQLField
    ) -> st.SearchStrategy[FuzzedRequest]:
        declared = ", ".join(f"${arg}: {each.type}" for arg, each in field.args.items())
        given = ", ".join(f"{arg}: ${arg}" for arg in field.args)
        head = f"{verb} ({declared})" if declared else verb
        call = f"{name}({given})" if given else name
        values = {arg: self.value(each.type) for arg, each in field.args.items()}
        needed = {
            arg: value for arg, value in values.items() if is_required_argument(field.args[arg])
        }
        optional = {arg: value for arg, value in values.items() if arg not in needed}
        return st.builds(
            lambda variables, selection: FuzzedRequest(
                f"{head} {{ {call} {selection} }}", variables
            ),
            st.fixed_dictionaries(needed, optional=optional),
            self._selection(field.type, LEVELS),
        )

    def value(self, type: GraphQLInputType) -> st.SearchStrategy[Any]:
        """A value for a variable of this type; now and then of none."""
        if isinstance(type, GraphQLNonNull):
            return self._some(type.of_type)
        return st.one_of(self._some(type), self._some(type), st.none())

    def _some(self, type: GraphQLInputType) -> st.SearchStrategy[Any]:
        if isinstance(type, GraphQLList):
            return st.lists(self.value(type.of_type), max_size=3)
        name = get_named_type(type).name
        if name not in self._types_by_name:
            # Inputs may contain themselves.
            self._types_by_name[name] = st.deferred(lambda: self._named(type))
        return self._types_by_name[name]

    def _named(self, type: GraphQLInputType) -> st.SearchStrategy[Any]:
        if isinstance(type, GraphQLInputObjectType):
            return self._object(type)
        if isinstance(type, GraphQLEnumType):
            return st.sampled_from(list(type.values))
        name = get_named_type(type).name
        plain: dict[str, st.SearchStrategy[Any]] = {
            "ID": self._ids, "String": TEXTS, "Int": NUMBERS, "Boolean": st.booleans(),
        }  # fmt: skip
        if name in plain:
            return plain[name]
        return st.one_of(st.sampled_from(VALID[name]), TEXTS, NUMBERS)

    def _object(self, type: GraphQLInputObjectType) -> st.SearchStrategy[Any]:
        values = {name: self.value(field.type) for name, field in type.fields.items()}
        required = {
            name: value
            for name, value in values.items()
            if is_required_input_field(type.fields[name])
        }
        optional = {name: value for name, value in values.items() if name not in required}
        return st.fixed_dictionaries(required, optional=optional)

    def _selection(self, type: GraphQLOutputType, levels: int) -> st.SearchStrategy[str]:
        named = get_named_type(type)
        if is_leaf_type(named):
            return st.just("")
        if isinstance(named, GraphQLUnionType):
            return self._members(named, levels)
        assert isinstance(named, GraphQLObjectType | GraphQLInterfaceType)
        fields = [
            (name, field)
            for name, field in named.fields.items()
            if not any(is_required_argument(arg) for arg in field.args.values())
            and (levels > 0 or is_leaf_type(get_named_type(field.type)))
        ]
        some = st.lists(
            st.sampled_from(fields).flatmap(lambda each: self._field(*each, levels=levels)),
            max_size=FIELDS_MAX,
        )
        return some.map(lambda chosen: f"{{ __typename {' '.join(dict.fromkeys(chosen))} }}")

    def _field(self, name: str, field: GraphQLField, *, levels: int) -> st.SearchStrategy[str]:
        page = PAGES & field.args.keys()
        defaults = [arg for arg in page if field.args[arg].default_value is Undefined]
        call = f"{name}(first: 2)" if defaults else name
        # The same field twice with different selections merges; with different pages it would not.
        return self._selection(field.type, levels - 1).map(lambda inner: f"{call} {inner}")

    def _members(self, union: GraphQLUnionType, levels: int) -> st.SearchStrategy[str]:
        parts = {member.name: self._selection(member, levels - 1) for member in union.types}
        return st.fixed_dictionaries(parts).map(
            lambda chosen: (
                "{ __typename "
                + " ".join(f"... on {name} {selection}" for name, selection in chosen.items())
                + " ... on Refusal { code message { en zh } } }"
            )
        )
