"""The schema in git is the schema that serves."""

from pathlib import Path

import schema
from schema.root import build_api_schema

PRINTED = Path(schema.__file__).parent / "schema.graphql"


def test_the_printed_schema_is_the_schema_that_serves() -> None:
    printed = PRINTED.read_text("utf-8")

    assert printed == f"{build_api_schema().as_str()}\n", (
        "run: python -m schema.root > schema/schema.graphql"
    )
