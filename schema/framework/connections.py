"""Relay connections: a page of a list, which the connection compiler reads by keyset."""

from typing import Generic, TypeVar

import strawberry

from schema.documents.cost import MAX_ITEMS

N = TypeVar("N")


@strawberry.type(description="The place of a page in its list 分页信息.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more follow 是否有下一页.")
    has_previous_page: bool = strawberry.field(description="Whether some come before 是否有上一页.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first object 首个游标.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last object 末个游标.")


@strawberry.type(description="An object of a list and its place there 列表项.")
class Edge(Generic[N]):
    node: N = strawberry.field(description="The object 对象.")
    cursor: str = strawberry.field(description="Its place, to go on from 游标.")


@strawberry.type(description="One page of a list 列表页.")
class Connection(Generic[N]):
    edges: list[Edge[N]] = strawberry.field(
        description="The objects with their places 列表项.", metadata={MAX_ITEMS: 0}
    )
    page_info: PageInfo = strawberry.field(description="The place of the page 分页信息.")
    nodes: list[N] = strawberry.field(
        description="The objects alone 对象.", metadata={MAX_ITEMS: 0}
    )
    total_count: int = strawberry.field(
        description="Size of the whole list; counted only where it is asked for 总数."
    )
