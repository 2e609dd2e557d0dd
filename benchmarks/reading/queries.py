"""The queries that are measured, in the words of each contender, and one form for their answers.

Everything that depends on the schema stands here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from schema.framework.global_ids import parse_global_id, to_global_id

Values = Mapping[str, object]
NormalisedAnswer = object
"""An answer without what only one schema has: names of lists, identifiers, units, digits."""


@dataclass(frozen=True, slots=True)
class SchemaQuery:
    """A query as one schema has it.

    Attributes:
        document: the text, sent whole with every request.
        variables: made of what is asked for.
        normalise: the answer's ``data``, in the form that all contenders share.

    """

    document: str
    variables: Callable[[Values], Values]
    normalise: Callable[[Any], NormalisedAnswer]


@dataclass(frozen=True, slots=True)
class Query:
    """A query and what is asked for.

    Attributes:
        name: a word; file names and options use it.
        title: as the tables say it.
        variable_sets: for what, one after the other; one request each.

    """

    name: str
    title: str
    ours: SchemaQuery
    postgraphile: SchemaQuery
    variable_sets: tuple[Values, ...] = ({},)


def _identity(values: Values) -> Values:
    return values


def _parse_instant(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).isoformat()


def _key(id: str) -> str:
    return str(parse_global_id(id)[1])


def _base_units(quantity: str, decimals: int) -> str:
    """A decimal in base units."""
    return str(int(Decimal(quantity).scaleb(decimals)))


def _by(name: str, found: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    return sorted(found, key=lambda one: str(one[name]))


# One object by its identifier: eight scalars.

_CARD = "kind name division city county state registeredAt"
OUR_CARD = f"query Card($id: ID!) {{ node(id: $id) {{ ... on Organisation {{ id {_CARD} }} }} }}"
THEIR_CARD = f"query Card($id: UUID!) {{ organisationByRowId(rowId: $id) {{ rowId {_CARD} }} }}"


def _our_card(data: Any) -> NormalisedAnswer:  # noqa: ANN401 - JSON
    card = data["node"]
    return {**card, "id": _key(card["id"]), "registeredAt": _parse_instant(card["registeredAt"])}


def _their_card(data: Any) -> NormalisedAnswer:  # noqa: ANN401 - JSON
    card = dict(data["organisationByRowId"])
    id, county, at = card.pop("rowId"), card["county"] or None, _parse_instant(card["registeredAt"])
    return {**card, "id": id, "county": county, "registeredAt": at}


# A page of the enterprises of a city with permits, holdings and counts.

_PERMIT = "number category state validFrom validUntil"
OUR_PAGE = f"""query Page($city: String!) {{
  organisations(first: 50, where: {{city: {{eq: $city}}, kind: {{eq: "enterprise"}}}}) {{
    totalCount
    nodes {{
      id name county state
      permits(first: 5) {{ totalCount nodes {{ id {_PERMIT} }} }}
      accounts(first: 3) {{
        totalCount
        nodes {{
          kind
          balances {{ quantity instrument {{ code unit decimals pollutant {{ code name }} }} }}
        }}
      }}
    }}
  }}
}}"""
THEIR_PAGE = f"""query Page($city: String!) {{
  allOrganisations(
    first: 50, condition: {{city: $city, kind: "enterprise"}}, orderBy: [NAME_ASC, ROW_ID_ASC]
  ) {{
    totalCount
    nodes {{
      rowId name county state
      permitsByOrganisationId(first: 5) {{ totalCount nodes {{ rowId {_PERMIT} }} }}
      accountsByOrganisationId(first: 3) {{
        totalCount
        nodes {{
          kind
          balancesByAccountId {{
            nodes {{
              quantity
              instrumentByInstrumentId {{
                code unit scale pollutantByPollutant {{ code nameZh }}
              }}
            }}
          }}
        }}
      }}
    }}
  }}
}}"""


def _without_total(document: str) -> str:
    """The page without its exact total; the counts within it stay."""
    return document.replace("    totalCount\n    nodes", "    nodes", 1)


def _our_page(data: Any) -> NormalisedAnswer:  # noqa: ANN401 - JSON
    page = data["organisations"]
    return {"totalCount": page.get("totalCount"), "nodes": [_our_firm(f) for f in page["nodes"]]}


def _our_firm(firm: Any) -> NormalisedAnswer:  # noqa: ANN401 - JSON
    permits, accounts = firm["permits"], firm["accounts"]
    return {
        **{name: firm[name] for name in ("name", "county", "state")},
        "id": _key(firm["id"]),
        "permits": permits["totalCount"],
        "permit": _by(
            "number", [{**permit, "id": _key(permit["id"])} for permit in permits["nodes"]]
        ),
        "accounts": accounts["totalCount"],
        "account": _by("kind", [_our_account(account) for account in accounts["nodes"]]),
    }


def _our_account(account: Any) -> dict[str, NormalisedAnswer]:  # noqa: ANN401 - JSON
    held = []
    for balance in account["balances"]:
        right = balance["instrument"]
        units = _base_units(balance["quantity"], right["decimals"])
        held.append(
            {**right["pollutant"], "right": right["code"], "of": right["unit"], "units": units}
        )
    return {"kind": account["kind"], "held": _by("right", held)}


def _their_page(data: Any) -> NormalisedAnswer:  # noqa: ANN401 - JSON
    page = data["allOrganisations"]
    return {"totalCount": page.get("totalCount"), "nodes": [_their_firm(f) for f in page["nodes"]]}


def _their_firm(firm: Any) -> NormalisedAnswer:  # noqa: ANN401 - JSON
    permits, accounts = firm["permitsByOrganisationId"], firm["accountsByOrganisationId"]
    found = []
    for permit in permits["nodes"]:
        id = permit.pop("rowId")
        found.append({**permit, "id": id})
    return {
        **{name: firm[name] for name in ("name", "state")},
        "county": firm["county"] or None,
        "id": firm["rowId"],
        "permits": permits["totalCount"],
        "permit": _by("number", found),
        "accounts": accounts["totalCount"],
        "account": _by("kind", [_their_account(account) for account in accounts["nodes"]]),
    }


def _their_account(account: Any) -> dict[str, NormalisedAnswer]:  # noqa: ANN401 - JSON
    held = []
    for balance in account["balancesByAccountId"]["nodes"]:
        right = balance["instrumentByInstrumentId"]
        of, units = right["pollutantByPollutant"], balance["quantity"]
        held.append(
            {
                "code": of["code"],
                "name": of["nameZh"],
                "right": right["code"],
                "of": right["unit"],
                "units": units,
            }
        )
    return {"kind": account["kind"], "held": _by("right", held)}


# The newest transfers with seller, buyer and their cities.

OUR_FEED = """query Feed {
  transfers(first: 100) {
    nodes {
      id state quantity price sum draftedAt
      seller { name city }
      buyer { name city }
      instrument { code decimals }
    }
  }
}"""
THEIR_FEED = """query Feed {
  allTransfers(first: 100, orderBy: [DRAFTED_AT_DESC, ROW_ID_DESC]) {
    nodes {
      rowId state quantity priceFen sumFen draftedAt
      organisationBySellerId { name city }
      organisationByBuyerId { name city }
      instrumentByInstrumentId { code scale }
    }
  }
}"""
_FEN = 2


def _our_feed(data: Any) -> NormalisedAnswer:  # noqa: ANN401 - JSON
    return [
        {
            **{name: case[name] for name in ("state", "seller", "buyer")},
            "id": _key(case["id"]),
            "units": _base_units(case["quantity"], case["instrument"]["decimals"]),
            "price": _base_units(case["price"], _FEN),
            "sum": _base_units(case["sum"], _FEN),
            "draftedAt": _parse_instant(case["draftedAt"]),
            "right": case["instrument"]["code"],
        }
        for case in data["transfers"]["nodes"]
    ]


def _their_feed(data: Any) -> NormalisedAnswer:  # noqa: ANN401 - JSON
    return [
        {
            "state": case["state"],
            "seller": case["organisationBySellerId"],
            "buyer": case["organisationByBuyerId"],
            "id": case["rowId"],
            "units": case["quantity"],
            "price": case["priceFen"],
            "sum": case["sumFen"],
            "draftedAt": _parse_instant(case["draftedAt"]),
            "right": case["instrumentByInstrumentId"]["code"],
        }
        for case in data["allTransfers"]["nodes"]
    ]


TYPE_NAME = SchemaQuery("{ __typename }", _identity, _identity)

# The same list at any depth, for the cost of a page far from the first.
OUR_DEEP_PAGE = """query Deep($after: String) {
  transfers(first: 50, after: $after) { nodes { id state draftedAt } }
}"""
DEEP_PAGE_ROWS = 50
# The way there.
WALK = """query Walk($after: String, $first: Int!) {
  transfers(first: $first, after: $after) { pageInfo { endCursor hasNextPage } }
}"""


def by_id_query(ids: Sequence[UUID]) -> Query:
    """One object by its identifier, another in each request."""
    return Query(
        "by_id",
        "by id",
        SchemaQuery(
            OUR_CARD,
            lambda asked: {"id": to_global_id("Organisation", UUID(str(asked["id"])))},
            _our_card,
        ),
        SchemaQuery(THEIR_CARD, _identity, _their_card),
        tuple({"id": str(id)} for id in ids),
    )


def page_query(city: str, *, with_total: bool = True) -> Query:
    """A page of the enterprises of a city; ``with_total`` with how many there are."""
    ours, theirs = (OUR_PAGE, THEIR_PAGE)
    if not with_total:
        ours, theirs = _without_total(ours), _without_total(theirs)
    return Query(
        "page" if with_total else "page_uncounted",
        "nested page" if with_total else "nested page without its total",
        SchemaQuery(ours, _identity, _our_page),
        SchemaQuery(theirs, _identity, _their_page),
        ({"city": city},),
    )


FEED = Query(
    "feed",
    "feed",
    SchemaQuery(OUR_FEED, _identity, _our_feed),
    SchemaQuery(THEIR_FEED, _identity, _their_feed),
)
TRIVIAL = Query("trivial", "trivial", TYPE_NAME, TYPE_NAME)
NAMES = ("by_id", "page", "feed", "trivial")
