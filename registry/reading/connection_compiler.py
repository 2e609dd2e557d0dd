"""A page of a list as a subselect: filter, keyset, order, literal limit, and what was asked of it.

Only what is selected is computed: no cursors, no look beyond the page's end, no totals unasked.
"""

from collections.abc import Callable, Hashable, Iterator
from typing import Protocol

from registry.access.kinds import Kind
from registry.reading.catalog import Narrowing, Paged, Type
from registry.reading.json_sql import NULL, cursor
from registry.reading.keyset import Order, Slice, check_values, place_of
from registry.reading.selection import Arguments, Field, Selection
from registry.reading.sql_builder import Row, Statement, Unplanned, conjunction
from registry.reading.sql_text import Joined, quoted

TYPENAME, NODES, EDGES, NODE, CURSOR = "__typename", "nodes", "edges", "node", "cursor"
INFO, NEXT, PREVIOUS = "pageInfo", "hasNextPage", "hasPreviousPage"
START, END, TOTAL = "startCursor", "endCursor", "totalCount"
_ENDS = frozenset({NEXT, PREVIOUS})


class Writing(Protocol):
    """Who writes the objects of the page."""

    statement: Statement

    def object(self, of: Type, selection: Selection, row: Row) -> str:
        """An object of the type as an expression of JSON text."""


def page(writer: Writing, paged: Paged, asked: Field, parent: str) -> str:
    """The page that was asked for, as an expression of JSON text.

    Args:
        writer: writes its objects.
        paged: how it is declared.
        asked: the field with its arguments and selection.
        parent: the alias of the row it hangs on, if it does.

    Raises:
        Malformed: its arguments are refused.

    """
    return _Page(writer, paged, asked, parent).text()


class _Page:
    def __init__(self, writer: Writing, paged: Paged, asked: Field, parent: str) -> None:
        self.writer, self.statement = writer, writer.statement
        self.paged, self.asked, self.parent = paged, asked, parent
        self.to = self.statement.catalogue[paged.to]
        args = asked.args
        self.slice = Slice(*(args.get(name) for name in ("first", "after", "last", "before")))
        self.order = paged.orders[str(getattr(args["orderBy"], "value", args["orderBy"]))]
        (self.selection,) = asked.sub.values()
        (self.name,) = asked.sub
        self.row = Row(self.statement.alias())
        self.columns: list[str] = []

    def text(self) -> str:
        """The connection, out of an aggregate over the page where rows of it are asked for."""
        text = self._object(self.name, self.selection, self._of_connection)
        asked = bool(self.columns)
        # Made even where no row is asked for: what is wrong with the arguments is refused anyway.
        rows = self._rows()
        return f"(SELECT {text} FROM {rows} AS x)" if asked else text

    def _object(self, name: str, selection: Selection, write: Callable[[Field], str]) -> str:
        pieces, before = [], "{"
        for field in selection:
            pieces.append(quoted(f'{before}"{field.key}":'))
            typename = field.name == TYPENAME
            pieces.append(quoted(f'"{name}"') if typename else write(field))
            before = ","
        return Joined.of([*pieces, quoted("}" if selection else "{}")])

    def _of_connection(self, field: Field) -> str:
        match field.name:
            case "nodes":
                return self._array(self._node(field))
            case "edges":
                return self._array(self._edge(field))
            case "pageInfo":
                (name,) = field.sub
                return self._object(name, field.sub[name], self._of_info)
            case "totalCount":
                return f"(SELECT count(*)::text {self._all()})"
        if field.name in self.paged.sums:
            return self._sum(self.paged.sums[field.name])
        raise Unplanned(f"{self.name}.{field.name}")

    # The objects.

    def _node(self, field: Field) -> str:
        return self.writer.object(self.to, field.sub.get(self.to.name, ()), self.row)

    def _edge(self, field: Field) -> str:
        (name,) = field.sub
        return self._object(name, field.sub[name], self._of_edge)

    def _of_edge(self, field: Field) -> str:
        if field.name == NODE:
            return self._node(field)
        if field.name == CURSOR:
            alias = self.row.alias
            return cursor(self.order.type, f"{alias}.{self.order.column}", f"{alias}.id")
        raise Unplanned(field.name)

    def _array(self, text: str) -> str:
        column = f"j{len(self.columns)}"
        self.columns.append(f"{text} AS {column}")
        kept = f" FILTER (WHERE x.n <= {self.slice.size})" if self._beyond else ""
        rows = f"coalesce(string_agg(x.{column}, ','){kept}, '')"
        return Joined.of(("'['", rows, "']'"))

    # Where the page stands.

    @property
    def _beyond(self) -> bool:
        """Whether anybody asks for what lies beyond the page."""
        return any(
            of_info.name in _ENDS
            for field in self.selection
            if field.name == INFO
            for sub in field.sub.values()
            for of_info in sub
        )

    def _of_info(self, field: Field) -> str:
        backward = self.slice.backward
        match field.name:
            case "hasNextPage":
                known = self.slice.before is not None
                return quoted(str(known).lower()) if backward else self._more()
            case "hasPreviousPage":
                known = self.slice.after is not None
                return self._more() if backward else quoted(str(known).lower())
            case "startCursor":
                past = f"(count(*) > {self.slice.size})::int" if self._beyond and backward else "0"
                return self._end_cursor(f"1 + {past}")
            case "endCursor":
                kept = f"least({self.slice.size}, count(*))"
                return self._end_cursor(kept if self._beyond and not backward else "count(*)")
        raise Unplanned(field.name)

    def _more(self) -> str:
        self._need("n")
        return f"(count(*) > {self.slice.size})::text"

    def _end_cursor(self, index: str) -> str:
        """The cursor of the row that stands at ``index`` of the page as it was read."""
        for column in ("k", "i"):
            self._need(column)
        key, id = (f"(array_agg(x.{column}))[({index})::int]" for column in ("k", "i"))
        return f"coalesce({cursor(self.order.type, key, id)}, {NULL})"

    def _need(self, column: str) -> None:
        alias = self.row.alias
        known = {"k": f"{alias}.{self.order.column}", "i": f"{alias}.id", "n": f"{alias}.n"}
        text = f"{known[column]} AS {column}"
        if text not in self.columns:
            self.columns.append(text)

    # The rows.

    def _rows(self) -> str:
        """The page in the order of the list, with the columns that are asked for."""
        if self._beyond:
            self._need("n")
        t, alias = self.statement.alias(), self.row.alias
        way, back = ("DESC", "ASC") if self.order.descending else ("ASC", "DESC")
        read = back if self.slice.backward else way
        by = f"{t}.{self.order.column} {read}, {t}.id {read}"
        number = f", row_number() OVER (ORDER BY {by}) AS n" if self._beyond else ""
        found = f"(SELECT {t}.*{number} FROM {self._found(t, by)})"
        order = f"{alias}.{self.order.column} {way}, {alias}.id {way}"
        columns = ", ".join(self.columns)
        return f"(SELECT {columns} FROM {found} AS {alias}{self.row.joined} ORDER BY {order})"

    def _found(self, t: str, by: str) -> str:
        """The rows of the page, and what stands after FROM.

        Along several ways each is read in order and no further than the page needs; a row that
        stands on two of them is shown once.
        """
        wanted = [*self._conditions(t), *self._keyset(t)]
        limit = self.slice.size + self._beyond
        read = [
            f"{self.to.table} AS {t} WHERE {conjunction(way, *wanted)} ORDER BY {by} LIMIT {limit}"
            for way in self.statement.ways(self._kind, "view", t)
        ]
        if len(read) == 1:
            return read[0]
        each = " UNION ALL ".join(f"(SELECT {t}.* FROM {way})" for way in read)
        once = f"SELECT DISTINCT ON ({t}.{self.order.column}, {t}.id) {t}.*"
        return f"({once} FROM ({each}) AS {t} ORDER BY {by} LIMIT {limit}) AS {t}"

    def _all(self) -> str:
        """All rows of the list, whatever the page."""
        t = self.statement.alias()
        allowed = self.statement.allowed(self._kind, "view", t)
        where = conjunction(allowed, *self._conditions(t))
        return f"FROM {self.to.table} AS {t} WHERE {where}"

    def _sum(self, column: str) -> str:
        """What a column adds up to over the rows on which the viewer may see it."""
        t = self.statement.alias()
        allowed = self.statement.allowed(self._kind, "view", t)
        seen = self._uncovered(t, {column})
        where = conjunction(allowed, *self._conditions(t), *seen)
        total = f"coalesce(sum({t}.{column}), 0)"
        clause = f"FROM {self.to.table} AS {t} WHERE {where}"
        return f"(SELECT '\"' || ({total} * 0.01)::text || '\"' {clause})"

    def _conditions(self, t: str) -> Iterator[str]:
        """What is wanted of what may be seen.

        A masked column neither selects nor orders a row, or the mask would leak: the row filter of
        the verb that uncovers it is added.
        """
        where = self.asked.args.get("where") or {}
        narrowed = [name for name in self.paged.where if _narrows(where.get(name))]
        touched = {self.paged.where[name].column for name in narrowed} | {self.order.column}
        yield from self._uncovered(t, touched)
        if self.paged.parent:
            yield f"{t}.{self.paged.parent} = {self.parent}.id"
        for name in narrowed:
            yield from self._narrowed(t, name, self.paged.where[name], where[name])

    def _uncovered(self, t: str, touched: set[str]) -> Iterator[str]:
        for verb, columns in self._kind.masks.items():
            if touched.intersection(columns):
                yield self.statement.allowed(self._kind, verb, t)

    @property
    def _kind(self) -> Kind:
        assert self.to.kind is not None, "only governed objects are listed in pages"
        return self.to.kind

    def _narrowed(self, t: str, name: str, by: Narrowing, sent: object) -> Iterator[str]:
        column = f"{t}.{by.column}"
        if not isinstance(sent, dict):
            reads = by.reads
            assert reads is not None, "an identifier is decoded"
            found = self._bound(("where", name), lambda args: reads(args["where"][name]))
            yield f"{found} = ANY({column})" if by.array else f"{column} = {found}"
            return
        for operator, value in sent.items():
            if value is not None:
                found = self._bound(("where", name, operator), _sent(name, operator))
                yield _COMPARED[operator].format(column=column, value=found)

    def _keyset(self, t: str) -> Iterator[str]:
        for sent, field in ((self.slice.after, "after"), (self.slice.before, "before")):
            if sent is not None:
                beyond = ">" if (field == "after") != self.order.descending else "<"
                key, id = (self._place(field, part) for part in (0, 1))
                yield f"({t}.{self.order.column}, {t}.id) {beyond} ({key}, {id})"

    def _place(self, field: str, part: int) -> str:
        order: Order = self.order
        return self._bound((field, part), lambda args: place_of(args[field], order, field)[part])

    def _bound(self, path: Hashable, reads: Callable[[Arguments], object]) -> str:
        return self.statement.argument(self.asked.place, path, reads)


def _narrows(sent: object) -> bool:
    """Whether anything is asked of a field; one of which nothing is asked is not looked at."""
    if isinstance(sent, dict):
        return any(value is not None for value in sent.values())
    return sent is not None


def _sent(name: str, operator: str) -> Callable[[Arguments], object]:
    """Reads one value of the filter.

    Raises:
        Malformed: it is a list that is too long.

    """

    def reads(args: Arguments) -> object:
        value = args["where"][name][operator]
        check_values(f"where.{name}", value)
        return value

    return reads


_COMPARED = {
    "eq": "{column} = {value}",
    "in": "{column} = ANY({value})",
    "gte": "{column} >= {value}",
    "lt": "{column} < {value}",
}
