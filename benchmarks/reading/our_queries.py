"""The measured queries in this checkout's API, and the common form of its answers."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from benchmarks.reading.answers import (
    FEN_DECIMALS,
    bare_codes,
    base_units,
    key,
    parse_instant,
    sorted_by,
    stored_words,
)
from schema.framework.global_ids import to_global_id

_CARD = "kind name division { code } city { code } county { code } state registeredAt"
CARD = f"query Card($id: ID!) {{ node(id: $id) {{ ... on Organisation {{ id {_CARD} }} }} }}"


def card_variables(values: Mapping[str, object]) -> Mapping[str, object]:
    """The identifier as this API writes it."""
    return {**values, "id": to_global_id("Organisation", UUID(str(values["id"])))}


def card(data: Any) -> object:  # noqa: ANN401 - JSON
    """An organisation."""
    found = bare_codes(data["node"], "division", "city", "county")
    return {
        **stored_words(found, "kind", "state"),
        "id": key(found["id"]),
        "registeredAt": parse_instant(found["registeredAt"]),
    }


_ENTERPRISES = "where: {city: [$city], kind: ENTERPRISE}"
_PERMIT = "number category state validFrom validUntil"
PAGE = f"""query Page($city: String!, $after: String) {{
  organisations(first: 50, after: $after, {_ENTERPRISES}) {{
    totalCount
    nodes {{
      id name county {{ code }} state
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
PAGE_CURSORS = f"""query Cursors($city: String!, $after: String) {{
  rows: organisations(first: 100, after: $after, {_ENTERPRISES}) {{
    edges {{ cursor }} pageInfo {{ endCursor hasNextPage }}
  }}
}}"""


def page(data: Any) -> object:  # noqa: ANN401 - JSON
    """A page of enterprises."""
    found = data["organisations"]
    return {"totalCount": found.get("totalCount"), "nodes": [_firm(f) for f in found["nodes"]]}


def _firm(firm: Any) -> object:  # noqa: ANN401 - JSON
    firm = bare_codes(firm, "county")
    permits, accounts = firm["permits"], firm["accounts"]
    return {
        "name": firm["name"],
        "county": firm["county"],
        "state": firm["state"].lower(),
        "id": key(firm["id"]),
        "permits": permits["totalCount"],
        "permit": sorted_by(
            "number",
            [
                {**stored_words(permit, "category", "state"), "id": key(permit["id"])}
                for permit in permits["nodes"]
            ],
        ),
        "accounts": accounts["totalCount"],
        "account": sorted_by("kind", [_account(account) for account in accounts["nodes"]]),
    }


def _account(account: Any) -> dict[str, object]:  # noqa: ANN401 - JSON
    held = []
    for balance in account["balances"]:
        right = balance["instrument"]
        units = base_units(balance["quantity"], right["decimals"])
        held.append(
            {**right["pollutant"], "right": right["code"], "of": right["unit"], "units": units}
        )
    return {"kind": account["kind"].lower(), "held": sorted_by("right", held)}


FEED_OF_CODES = """query Feed($after: String) {
  transfers(first: 100, after: $after) {
    nodes {
      id state quantity price sum draftedAt
      seller { name city { code } }
      buyer { name city { code } }
      instrument { code decimals }
    }
  }
}"""
FEED = FEED_OF_CODES.replace("city { code }", "city { code name }")
FEED_CURSORS = """query Cursors($after: String) {
  rows: transfers(first: 100, after: $after) {
    edges { cursor } pageInfo { endCursor hasNextPage }
  }
}"""


def _party(party: Any) -> object:  # noqa: ANN401 - JSON
    city = party["city"]
    named = {"cityName": city["name"]} if isinstance(city, dict) and "name" in city else {}
    return {
        "name": party["name"],
        "city": city["code"] if isinstance(city, dict) else city,
        **named,
    }


def feed(data: Any) -> object:  # noqa: ANN401 - JSON
    """The transfers of a feed."""
    return [
        {
            "seller": _party(case["seller"]),
            "buyer": _party(case["buyer"]),
            "state": case["state"].lower(),
            "id": key(case["id"]),
            "units": base_units(case["quantity"], case["instrument"]["decimals"]),
            "price": base_units(case["price"], FEN_DECIMALS),
            "sum": base_units(case["sum"], FEN_DECIMALS),
            "draftedAt": parse_instant(case["draftedAt"]),
            "right": case["instrument"]["code"],
        }
        for case in data["transfers"]["nodes"]
    ]


DEEP_PAGE = """query Deep($after: String) {
  transfers(first: 50, after: $after) { nodes { id state draftedAt } }
}"""
DEEP_PAGE_ROWS = 50
# Reads the cursor before that page.
WALK = """query Walk($after: String, $first: Int!) {
  transfers(first: $first, after: $after) { pageInfo { endCursor hasNextPage } }
}"""
