"""A page of a list as a subselect: filter, keyset, order, literal limit, and what was asked of it.

Only what is selected is computed: no cursors, no look beyond the page's end, no totals unasked.
"""

from collections.abc import Callable, Hashable, Iterator
from typing import Protocol

from registry.access.kinds import Kind
from registry.kernel.texts import comparison_form
from registry.reading.catalog import ConnectionField, FilterField, ObjectType
from registry.reading.enum_names import enum_name
from registry.reading.json_sql import JSON_NULL, cursor_expr
from registry.reading.keyset import (
    Ordering,
    PageRequest,
    check_part,
    check_value_count,
    decode_cursor,
    name_order,
)
from registry.reading.selection import Arguments, SelectedField, Selection
from registry.reading.sql_builder import NameScope, NotPlannable, RowScope, SqlBuilder, conjunction
from registry.reading.sql_text import SqlConcat, quote_literal

TYPENAME, NODE, CURSOR, PAGE_INFO = "__typename", "node", "cursor", "pageInfo"
_LOOKAHEAD_FIELDS = frozenset({"hasNextPage", "hasPreviousPage"})


class SelectionCompiler(Protocol):
    """Compiles the objects of the page."""

    builder: SqlBuilder

    def compile_object(self, object_type: ObjectType, selection: Selection, row: RowScope) -> str:
        """An object of the type as an expression of JSON text."""


def compile_connection(
    compiler: SelectionCompiler, connection: ConnectionField, field: SelectedField, parent: str
) -> str:
    """The page that was asked for, as an expression of JSON text."""
    return _ConnectionCompiler(compiler, connection, field, parent).compile()


class _ConnectionCompiler:
    def __init__(
        self,
        compiler: SelectionCompiler,
        connection: ConnectionField,
        field: SelectedField,
        parent: str,
    ) -> None:
        self.compiler, self.builder = compiler, compiler.builder
        self.connection, self.field, self.parent = connection, field, parent
        self.node_type = self.builder.catalog[connection.node_type]
        args = field.arguments
        self.page_request = PageRequest(
            *(args.get(name) for name in ("first", "after", "last", "before"))
        )
        order = str(getattr(args["orderBy"], "value", args["orderBy"]))
        self.ordering = connection.orders[order]
        self.list_order = name_order(connection.node_type, enum_name(order))
        (self.selection,) = field.selections.values()
        (self.type_name,) = field.selections
        self.row_scope = RowScope(self.builder.alias())
        self.columns: list[str] = []

    def compile(self) -> str:
        """The connection, out of an aggregate over the page where rows of it are asked for."""
        text = self._compile_fields(self.type_name, self.selection, self._connection_field)
        asked = bool(self.columns)
        # Made even where no row is asked for: what is wrong with the arguments is refused anyway.
        rows = self._rows()
        return f"(SELECT {text} FROM {rows} AS x)" if asked else text

    def _compile_fields(
        self, name: str, selection: Selection, write: Callable[[SelectedField], str]
    ) -> str:
        pieces, before = [], "{"
        for field in selection:
            pieces.append(quote_literal(f'{before}"{field.response_key}":'))
            typename = field.name == TYPENAME
            with self.builder.compiling(field):
                pieces.append(quote_literal(f'"{name}"') if typename else write(field))
            before = ","
        return SqlConcat.of([*pieces, quote_literal("}" if selection else "{}")])

    def _connection_field(self, field: SelectedField) -> str:
        match field.name:
            case "nodes":
                return self._array(field, self._node)
            case "edges":
                return self._array(field, self._edge)
            case "pageInfo":
                (name,) = field.selections
                return self._compile_fields(name, field.selections[name], self._page_info_field)
            case "totalCount":
                return f"(SELECT count(*)::text {self._all_rows()})"
        if field.name in self.connection.totals:
            return self._total(self.connection.totals[field.name])
        raise NotPlannable(f"{self.type_name}.{field.name}")

    # The objects.

    def _node(self, field: SelectedField) -> str:
        return self.compiler.compile_object(
            self.node_type, field.selections.get(self.node_type.name, ()), self.row_scope
        )

    def _edge(self, field: SelectedField) -> str:
        (name,) = field.selections
        return self._compile_fields(name, field.selections[name], self._edge_field)

    def _edge_field(self, field: SelectedField) -> str:
        if field.name == NODE:
            return self._node(field)
        if field.name == CURSOR:
            alias = self.row_scope.alias
            return self._cursor(f"{alias}.{self.ordering.column}", f"{alias}.id")
        raise NotPlannable(field.name)

    def _array(self, field: SelectedField, write: Callable[[SelectedField], str]) -> str:
        with self.builder.in_list():
            text = write(field)
        column = f"j{len(self.columns)}"
        self.columns.append(f"{text} AS {column}")
        kept = f" FILTER (WHERE x.n <= {self.page_request.size})" if self._needs_lookahead else ""
        rows = f"coalesce(string_agg(x.{column}, ','){kept}, '')"
        return SqlConcat.of(("'['", rows, "']'"))

    # Position of the page.

    @property
    def _needs_lookahead(self) -> bool:
        """Whether anybody asks for what lies beyond the page."""
        return any(
            of_info.name in _LOOKAHEAD_FIELDS
            for field in self.selection
            if field.name == PAGE_INFO
            for sub in field.selections.values()
            for of_info in sub
        )

    def _page_info_field(self, field: SelectedField) -> str:
        backward = self.page_request.is_backward
        match field.name:
            case "hasNextPage":
                known = self.page_request.before is not None
                return quote_literal(str(known).lower()) if backward else self._has_more()
            case "hasPreviousPage":
                known = self.page_request.after is not None
                return self._has_more() if backward else quote_literal(str(known).lower())
            case "startCursor":
                past = (
                    f"(count(*) > {self.page_request.size})::int"
                    if self._needs_lookahead and backward
                    else "0"
                )
                return self._end_cursor(f"1 + {past}")
            case "endCursor":
                kept = f"least({self.page_request.size}, count(*))"
                return self._end_cursor(
                    kept if self._needs_lookahead and not backward else "count(*)"
                )
        raise NotPlannable(field.name)

    def _has_more(self) -> str:
        self._require_column("n")
        return f"(count(*) > {self.page_request.size})::text"

    def _end_cursor(self, index: str) -> str:
        """The cursor of the row at ``index`` of the page as read."""
        for column in ("k", "i"):
            self._require_column(column)
        key, id = (f"(array_agg(x.{column}))[({index})::int]" for column in ("k", "i"))
        return f"coalesce({self._cursor(key, id)}, {JSON_NULL})"

    def _cursor(self, key: str, id: str) -> str:
        return cursor_expr(self.list_order, self.ordering.type, key, id)

    def _require_column(self, column: str) -> None:
        alias = self.row_scope.alias
        known = {"k": f"{alias}.{self.ordering.column}", "i": f"{alias}.id", "n": f"{alias}.n"}
        text = f"{known[column]} AS {column}"
        if text not in self.columns:
            self.columns.append(text)

    # The rows.

    def _rows(self) -> str:
        """The page in the order of the list, with the columns that are asked for."""
        if self._needs_lookahead:
            self._require_column("n")
        t, alias = self.builder.alias(), self.row_scope.alias
        way, back = ("DESC", "ASC") if self.ordering.descending else ("ASC", "DESC")
        read = back if self.page_request.is_backward else way
        by = f"{t}.{self.ordering.column} {read}, {t}.id {read}"
        number = f", row_number() OVER (ORDER BY {by}) AS n" if self._needs_lookahead else ""
        found = f"(SELECT {t}.*{number} FROM {self._page_rows(t, by)})"
        order = f"{alias}.{self.ordering.column} {way}, {alias}.id {way}"
        columns = ", ".join(self.columns)
        source = f"{found} AS {alias}{self.row_scope.join_clauses}"
        return f"(SELECT {columns} FROM {source} ORDER BY {order})"

    def _page_rows(self, t: str, by: str) -> str:
        """The rows of the page, and the FROM clause.

        Along several ways each is read in order and no further than the page needs; a row that
        is on two of them is shown once.
        """
        wanted = [*self._conditions(t), *self._keyset(t)]
        limit = self.page_request.size + self._needs_lookahead
        read = [
            f"{self.node_type.table} AS {t} WHERE {conjunction(way, *wanted)}"
            f" ORDER BY {by} LIMIT {limit}"
            for way in self.builder.index_branches(self._kind, "view", t)
        ]
        if len(read) == 1:
            return read[0]
        each = " UNION ALL ".join(f"(SELECT {t}.* FROM {way})" for way in read)
        once = f"SELECT DISTINCT ON ({t}.{self.ordering.column}, {t}.id) {t}.*"
        return f"({once} FROM ({each}) AS {t} ORDER BY {by} LIMIT {limit}) AS {t}"

    def _all_rows(self) -> str:
        """All rows of the list, on every page."""
        t = self.builder.alias()
        allowed = self.builder.row_filter(self._kind, "view", t)
        where = conjunction(allowed, *self._conditions(t))
        return f"FROM {self.node_type.table} AS {t} WHERE {where}"

    def _total(self, column: str) -> str:
        """Sum of a column over the rows on which the viewer may see it."""
        t = self.builder.alias()
        allowed = self.builder.row_filter(self._kind, "view", t)
        seen = self._unmasked(t, {column})
        where = conjunction(allowed, *self._conditions(t), *seen)
        total = f"coalesce(sum({t}.{column}), 0)"
        clause = f"FROM {self.node_type.table} AS {t} WHERE {where}"
        return f"(SELECT '\"' || ({total} * 0.01)::text || '\"' {clause})"

    def _conditions(self, t: str) -> Iterator[str]:
        """The filters on the visible rows.

        A masked column neither selects nor orders a row, or the mask would leak: the row filter of
        the verb that uncovers it is added.
        """
        where = self.field.arguments.get("where") or {}
        narrowed = [name for name in self.connection.filters if _is_filter_set(where.get(name))]
        touched = {self.connection.filters[name].column for name in narrowed} | {
            self.ordering.column
        }
        yield from self._unmasked(t, touched)
        if self.connection.parent_column:
            yield f"{t}.{self.connection.parent_column} = {self.parent}.id"
        for name in narrowed:
            yield from self._filter_conditions(t, name, self.connection.filters[name], where[name])

    def _unmasked(self, t: str, columns_used: set[str]) -> Iterator[str]:
        for verb, columns in self._kind.masks.items() if self._kind else ():
            if columns_used.intersection(columns):
                yield self.builder.row_filter(self._kind, verb, t)

    @property
    def _kind(self) -> Kind | None:
        kind = self.node_type.kind
        assert kind or self.connection.parent_column, "other rows are listed with their parent only"
        return kind

    def _filter_conditions(
        self, t: str, name: str, filter_field: FilterField, argument: object
    ) -> Iterator[str]:
        scope = NameScope(t=t)
        column = self.builder.render(
            filter_field.expression or f"{{t}}.{filter_field.column}", scope
        )
        if reads := filter_field.parse:
            found = self._bind_argument(("where", name), lambda args: reads(args["where"][name]))
            yield f"{found} = ANY({column})" if filter_field.is_array else f"{column} = {found}"
            return
        asked = argument if isinstance(argument, dict) else {"": argument}
        for key, value in asked.items():
            if value is not None:
                # One value is compared alone: the index then gives the rows in order.
                alone = isinstance(value, list) and len(value) == 1
                operator = "eq" if alone else key or "in"
                found = self._bind_argument(
                    ("where", name, key),
                    _filter_argument(name, key, alone=alone, folds=filter_field.folds),
                )
                yield _OPERATORS[operator].format(column=column, value=found)
                if filter_field.index_condition and operator in _MATCHES:
                    wider = filter_field.index_condition.replace(
                        "{match}", _MATCHES[operator].format(value=found)
                    )
                    yield self.builder.render(wider, scope)

    def _keyset(self, t: str) -> Iterator[str]:
        for sent, field in (
            (self.page_request.after, "after"),
            (self.page_request.before, "before"),
        ):
            if sent is not None:
                beyond = ">" if (field == "after") != self.ordering.descending else "<"
                key, id = (self._cursor_bind(field, part) for part in (0, 1))
                yield f"({t}.{self.ordering.column}, {t}.id) {beyond} ({key}, {id})"

    def _cursor_bind(self, field: str, part: int) -> str:
        of: tuple[str, Ordering] = (self.list_order, self.ordering)
        return self._bind_argument(
            (field, part), lambda args: decode_cursor(args[field], *of, field)[part]
        )

    def _bind_argument(self, path: Hashable, extract: Callable[[Arguments], object]) -> str:
        return self.builder.argument(self.field.argument_index, path, extract)


def _is_filter_set(argument: object) -> bool:
    """Whether anything is asked of a field; one of which nothing is asked is not looked at."""
    if isinstance(argument, dict):
        return any(value is not None for value in argument.values())
    return argument is not None


def _filter_argument(
    name: str, key: str, *, alone: bool, folds: bool
) -> Callable[[Arguments], object]:
    """Reads what is asked under a key of the filter, or of the filter as a whole."""

    def reads(args: Arguments) -> object:
        value = args["where"][name]
        if key:
            value = value[key]
        check_value_count(f"where.{name}{'.' if key else ''}{key}", value)
        if folds:
            one = isinstance(value, str)
            value = comparison_form(value) if one else [comparison_form(each) for each in value]
        if key == "contains":
            check_part(f"where.{name}", value)
        return value[0] if alone else value

    return reads


_MATCHES = {"eq": "= {value}", "in": "= ANY({value})"}
_OPERATORS = {
    **{name: f"{{column}} {match}" for name, match in _MATCHES.items()},
    "gte": "{column} >= {value}",
    "lt": "{column} < {value}",
    # The bigrams are indexed; they find too much, and position() keeps what holds the part.
    "contains": "bigrams({column}) @> bigrams({value}) AND position({value} IN {column}) > 0",
}
