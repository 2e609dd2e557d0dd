"""The measured queries in the API of commit 3f3d4a3, the last one before the rename.

``--against`` sends them to a checkout of that commit. That API has no city's name on a party: its
feed asks for the code alone.
"""

from benchmarks.reading import our_queries

_CARD = "kind name division city county state registeredAt"
CARD = f"query Card($id: ID!) {{ node(id: $id) {{ ... on Organisation {{ id {_CARD} }} }} }}"
card = our_queries.card

_ENTERPRISES = 'where: {city: {eq: $city}, kind: {eq: "enterprise"}}'
_PERMIT = "number category state validFrom validUntil"
PAGE = f"""query Page($city: String!, $after: String) {{
  organisations(first: 50, after: $after, {_ENTERPRISES}) {{
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
PAGE_CURSORS = f"""query Cursors($city: String!, $after: String) {{
  rows: organisations(first: 100, after: $after, {_ENTERPRISES}) {{
    edges {{ cursor }} pageInfo {{ endCursor hasNextPage }}
  }}
}}"""
page = our_queries.page

FEED = """query Feed($after: String) {
  transfers(first: 100, after: $after) {
    nodes {
      id state quantity price sum draftedAt
      seller { name city }
      buyer { name city }
      instrument { code decimals }
    }
  }
}"""
FEED_CURSORS = """query Cursors($after: String) {
  rows: transfers(first: 100, after: $after) {
    edges { cursor } pageInfo { endCursor hasNextPage }
  }
}"""
feed = our_queries.feed
