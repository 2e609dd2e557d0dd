"""Relay connections over pages that were found by keyset."""

from dataclasses import dataclass
from typing import Generic, TypeVar, cast

import strawberry

from registry.access.kinds import Kind
from registry.access.principals import Viewer
from registry.reading.keyset import ColumnFilter, Page, count_visible
from schema.documents.cost import MAX_ITEMS
from schema.framework.governed import Governed

N = TypeVar("N")
G = TypeVar("G", bound=Governed)


@dataclass(frozen=True, slots=True)
class ListQuery:
    """The whole list that a page is of: whose, of what, narrowed how."""

    viewer: Viewer
    kind: Kind
    filters: tuple[ColumnFilter, ...]


@strawberry.type(description="Where a page stands in its list 分页信息.")
class PageInfo:
    """The page's ends, and whether the list goes on beyond them."""

    has_next_page: bool = strawberry.field(description="Whether more follow 是否有下一页.")
    has_previous_page: bool = strawberry.field(description="Whether some come before 是否有上一页.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first object 首个游标.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last object 末个游标.")


@strawberry.type(description="An object of a list and its place there 列表项.")
class Edge(Generic[N]):
    """One object of a page."""

    node: N = strawberry.field(description="The object 对象.")
    cursor: str = strawberry.field(description="Its place, to go on from 游标.")


@strawberry.type(description="One page of a list 列表页.")
class Connection(Generic[N]):
    """A page: nothing is counted unless a field of its own asks for it."""

    edges: list[Edge[N]] = strawberry.field(
        description="The objects with their places 列表项.", metadata={MAX_ITEMS: 0}
    )
    page_info: PageInfo = strawberry.field(description="Where the page stands 分页信息.")
    list_query: strawberry.Private[ListQuery]

    @strawberry.field(description="The objects alone 对象.", metadata={MAX_ITEMS: 0})
    def nodes(self) -> list[N]:
        """For clients that need no cursors."""
        return [edge.node for edge in self.edges]

    @strawberry.field(
        description="How many there are, whatever the page; counted because it is asked 总数."
    )
    async def total_count(self) -> int:
        """Of those that may be seen and are wanted."""
        return await count_visible(
            self.list_query.viewer, self.list_query.kind, filters=self.list_query.filters
        )


def build_connection(cls: type[G], page: Page, list_query: ListQuery) -> Connection[G]:
    """A page of records as a connection of the API's type ``cls``."""
    edges = [
        Edge(node=cls(record=record), cursor=cursor)
        for record, cursor in zip(page.records, page.cursors, strict=True)
    ]
    info = PageInfo(
        has_next_page=page.has_next,
        has_previous_page=page.has_previous,
        start_cursor=page.cursors[0] if page.cursors else None,
        end_cursor=page.cursors[-1] if page.cursors else None,
    )
    return cast("Connection[G]", Connection(edges=edges, page_info=info, list_query=list_query))
