"""The measured queries in PostGraphile's API, and the common form of its answers."""

from typing import Any

from benchmarks.reading.answers import parse_instant, sorted_by

_CARD = "kind name division city county state registeredAt"
CARD = f"query Card($id: UUID!) {{ organisationByRowId(rowId: $id) {{ rowId {_CARD} }} }}"


def card(data: Any) -> object:  # noqa: ANN401 - JSON
    """An organisation."""
    found = dict(data["organisationByRowId"])
    id, county = found.pop("rowId"), found["county"] or None
    at = parse_instant(found["registeredAt"])
    return {**found, "id": id, "county": county, "registeredAt": at}


_ENTERPRISES = """condition: {city: $city, kind: "enterprise"}, orderBy: [NAME_ASC, ROW_ID_ASC]"""
_PERMIT = "number category state validFrom validUntil"
PAGE = f"""query Page($city: String!, $after: Cursor) {{
  allOrganisations(first: 50, after: $after, {_ENTERPRISES}) {{
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
PAGE_CURSORS = f"""query Cursors($city: String!, $after: Cursor) {{
  rows: allOrganisations(first: 100, after: $after, {_ENTERPRISES}) {{
    edges {{ cursor }} pageInfo {{ endCursor hasNextPage }}
  }}
}}"""


def page(data: Any) -> object:  # noqa: ANN401 - JSON
    """A page of enterprises."""
    found = data["allOrganisations"]
    return {"totalCount": found.get("totalCount"), "nodes": [_firm(f) for f in found["nodes"]]}


def _firm(firm: Any) -> object:  # noqa: ANN401 - JSON
    permits, accounts = firm["permitsByOrganisationId"], firm["accountsByOrganisationId"]
    shown = []
    for permit in permits["nodes"]:
        id = permit.pop("rowId")
        shown.append({**permit, "id": id})
    return {
        **{name: firm[name] for name in ("name", "state")},
        "county": firm["county"] or None,
        "id": firm["rowId"],
        "permits": permits["totalCount"],
        "permit": sorted_by("number", shown),
        "accounts": accounts["totalCount"],
        "account": sorted_by("kind", [_account(account) for account in accounts["nodes"]]),
    }


def _account(account: Any) -> dict[str, object]:  # noqa: ANN401 - JSON
    held = []
    for balance in account["balancesByAccountId"]["nodes"]:
        right = balance["instrumentByInstrumentId"]
        pollutant = right["pollutantByPollutant"]
        held.append(
            {
                "code": pollutant["code"],
                "name": pollutant["nameZh"],
                "right": right["code"],
                "of": right["unit"],
                "units": balance["quantity"],
            }
        )
    return {"kind": account["kind"], "held": sorted_by("right", held)}


_NEWEST = "orderBy: [DRAFTED_AT_DESC, ROW_ID_DESC]"
FEED_OF_CODES = f"""query Feed($after: Cursor) {{
  allTransfers(first: 100, after: $after, {_NEWEST}) {{
    nodes {{
      rowId state quantity priceFen sumFen draftedAt
      organisationBySellerId {{ name city }}
      organisationByBuyerId {{ name city }}
      instrumentByInstrumentId {{ code scale }}
    }}
  }}
}}"""
FEED = FEED_OF_CODES.replace("name city }", "name divisionByCity { code nameZh } }")
FEED_CURSORS = f"""query Cursors($after: Cursor) {{
  rows: allTransfers(first: 100, after: $after, {_NEWEST}) {{
    edges {{ cursor }} pageInfo {{ endCursor hasNextPage }}
  }}
}}"""


def _party(party: Any) -> object:  # noqa: ANN401 - JSON
    if "city" in party:
        return {"name": party["name"], "city": party["city"]}
    city = party["divisionByCity"]
    return {"name": party["name"], "city": city["code"], "cityName": city["nameZh"]}


def feed(data: Any) -> object:  # noqa: ANN401 - JSON
    """The transfers of a feed."""
    return [
        {
            "state": case["state"],
            "seller": _party(case["organisationBySellerId"]),
            "buyer": _party(case["organisationByBuyerId"]),
            "id": case["rowId"],
            "units": case["quantity"],
            "price": case["priceFen"],
            "sum": case["sumFen"],
            "draftedAt": parse_instant(case["draftedAt"]),
            "right": case["instrumentByInstrumentId"]["code"],
        }
        for case in data["allTransfers"]["nodes"]
    ]
