"""The statements of a few queries, to be read by eye: ``golden_plans.txt``.

Print them anew after a change: ``python -m tests.reading.golden > tests/reading/golden_plans.txt``.
"""

import re
import sys
from datetime import UTC, datetime

from policies.engine import Edition
from policies.rulebook import RuleBook
from policies.vocabulary import VOCABULARY
from registry.access.authorizer import authorizer
from registry.access.principals import Viewer
from registry.access.rulebook_store import BUNDLED_RULEBOOK
from schema.framework.global_ids import to_global_id
from schema.root import build_api_schema
from tests.reading.execution_paths import plan_of
from tests.reading.world import STRANGER

_NOW = datetime(2022, 6, 7, 2, tzinfo=UTC)
_ID = to_global_id("Transfer", STRANGER)

QUERIES = {
    "an object by its identifier, whose masked fields the viewer sees on some rows": (
        Viewer(role="enterprise", now=_NOW, may_initiate=True),
        f'{{ node(id: "{_ID}") {{ id ... on Transfer {{ price state seller {{ name }} }} }} }}',
    ),
    "a page with its total, ordered, narrowed, after a cursor": (
        Viewer(role="city", now=_NOW, may_approve=True),
        """query ($after: String!, $cities: [String!]) {
            transfers(first: 20, after: $after, where: {sellerCity: $cities}) {
                totalCount pageInfo { hasNextPage endCursor } nodes { quantity drafted: draftedAt }
            }
        }""",
    ),
    "a page of what hangs on the objects of a page; the client may see organisations alone": (
        Viewer(role="city", now=_NOW, scopes=frozenset({"Organisation:view"})),
        """{ organisations(last: 2) { edges { cursor node {
            permits(first: 3) { nodes { number } } accounts(first: 1) { nodes { id } }
        } } } }""",
    ),
    "a column that a county does not see neither selects nor shows": (
        Viewer(role="county", now=_NOW),
        '{ transfers(first: 1, where: {price: {gte: "1.00"}}) { nodes { price } } }',
    ),
    "the work list": (
        Viewer(role="centre", now=_NOW, may_approve=True),
        "{ workList(first: 5) { verb since object { ... on Transfer { number } } } }",
    ),
}
_SENT = {"after": "WzEsIDJd", "cities": ["131000"]}
_BREAKS = re.compile(
    r" (?=FROM \w|FROM \(|WHERE |LEFT JOIN |UNION ALL |ORDER BY \w+\.\w+ )|(?<=\|\|) "
)


def golden() -> str:
    """The text of the file."""
    before = authorizer._edition
    authorizer.activate(Edition(RuleBook.load(BUNDLED_RULEBOOK, VOCABULARY), 1))
    try:
        parts = [_part(what, *asked) for what, asked in QUERIES.items()]
    finally:
        authorizer._edition = before
    return "\n\n".join(parts) + "\n"


def _part(what: str, viewer: Viewer, document: str) -> str:
    sent = _SENT if "$after" in document else {}
    plan, _ = plan_of(build_api_schema(), viewer, document, sent)
    said = " ".join(document.split())
    return f"# {what} ({viewer.role})\n# {said}\n{_BREAKS.sub(chr(10), plan.sql)}"


if __name__ == "__main__":
    sys.stdout.write(golden())
