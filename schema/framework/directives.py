"""Directives in the printed schema: where an identifier leads, and which codes a text takes."""

import strawberry
from strawberry.schema_directive import Location


@strawberry.schema_directive(
    locations=[Location.INPUT_FIELD_DEFINITION],
    name="refers",
    description="The kind of object that the identifier names 标识所指的对象类别.",
)
class Refers:
    kind: str = strawberry.directive_field(name="kind")


@strawberry.schema_directive(
    locations=[Location.INPUT_FIELD_DEFINITION],
    name="codes",
    description="The type whose code the text is 代码所属的类型.",
)
class Codes:
    of: str = strawberry.directive_field(name="of")
