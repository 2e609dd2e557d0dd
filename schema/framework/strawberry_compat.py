"""The one module that uses private parts of Strawberry; `pyproject.toml` bounds the version."""

import strawberry
from graphql import GraphQLSchema


def graphql_schema(schema: strawberry.Schema) -> GraphQLSchema:
    """The schema of graphql-core that Strawberry has built."""
    return schema._schema  # noqa: SLF001 - the reason for this module
