"""A transfer over GraphQL: what each side reads, what a preview says, who sees which price."""

from typing import Any

import asyncpg
import pytest

from registry.access.principals import Principal
from registry.transfers.rules import State
from schema.framework.context import Context
from schema.framework.global_ids import to_global_id
from schema.root import build_api_schema
from tests.support.builders import create_officer, create_organisation, principal_of, stop_clock
from tests.support.payloads import flatten_payloads
from tests.transfers.builders import TONNES, TradingFixture, create_market

READ = """query ($id: [TransferState!]) { transfers(first: 5, where: {state: $id}) { nodes {
    id state price sum quantity nextSteps availableActions maskedFields deadlineAt bankReference
    nextActors { role verb } instrument { code } seller { name }
    findings { name met message { zh } evaluatedOn }
    certificate { number revokedAt }
    history(last: 20) { nodes { operation rule stateAfter } } } } }"""
DRAFT = """mutation ($input: DraftTransferInput!) { draftTransfer(input: $input) {
    __typename
    ... on TransferPayload { replayed
        transfer { id caseNumber state quantity price sum availableActions
            nextActors { verb roleText { zh } } } }
    ... on Preview { nextState nextActors { role verb } conditions { name met } }
    ... on Refusal { code legalBasis { en } conditions { name met message { en zh } } } } }"""
SETTLE = """mutation ($input: TransferInput!) { settleTransfer(input: $input) {
    ... on Preview { moved: postings { quantity source { ...Account } target { ...Account }
        instrument { code pollutant { code } } } } } }
    fragment Account on PreviewAccount { kind organisationName }"""
VERIFY = """query ($n: String!) { certificate(number: $n) {
    number quantity seller { name } title { zh } issuer { kind } } }"""


async def ask(caller: Principal, document: str, **variables: object) -> dict[str, Any]:
    result = await build_api_schema().execute(
        document, variable_values=variables, context_value=Context(caller)
    )
    assert result.errors is None, result.errors
    assert result.data is not None
    return flatten_payloads(result.data)


async def fetch_case_id(market: TradingFixture, who: str) -> dict[str, Any]:
    found = (await ask(market.people[who], READ, id=None))["transfers"]["nodes"]
    assert len(found) == 1
    return dict(found[0])


def sale_input(market: TradingFixture, **changed: object) -> dict[str, object]:
    return {
        "idempotencyKey": "api-1",
        "buyer": to_global_id("Organisation", market.buyer.id),
        "instrument": to_global_id("Instrument", market.right.id),
        "quantity": TONNES,
        "price": "7500.00",
    } | changed


async def test_a_sale_is_drafted_previewed_and_refused(open_market: asyncpg.Connection) -> None:
    market = await create_market()
    seller = market.people["seller"]

    refused = await ask(seller, DRAFT, input=sale_input(market, price="7499.99"))
    foreseen = await ask(seller, DRAFT, input=sale_input(market, preview=True))
    drafted = await ask(seller, DRAFT, input=sale_input(market))

    assert refused["draftTransfer"]["code"] == "CONDITIONS_UNMET"
    unmet = [c for c in refused["draftTransfer"]["conditions"] if not c["met"]]
    assert [c["name"] for c in unmet] == ["price_floor"]
    assert "7500.00" in unmet[0]["message"]["zh"]
    assert foreseen["draftTransfer"]["nextState"] == "DRAFT"
    assert foreseen["draftTransfer"]["nextActors"] == [{"role": "ENTERPRISE", "verb": "OFFER"}]
    made = drafted["draftTransfer"]
    assert made["nextActors"] == [{"verb": "OFFER", "roleText": {"zh": "企业"}}]
    assert (made["state"], made["quantity"]) == ("DRAFT", TONNES)
    assert (made["price"], made["sum"]) == ("7500.00", "90000.00")
    assert made["availableActions"] == ["OFFER", "WITHDRAW"]


async def test_a_preview_names_the_accounts_and_the_instrument_of_each_posting(
    open_market: asyncpg.Connection,
) -> None:
    market = await create_market()
    case = await market.case_in(State.PAID)
    input = {"id": to_global_id("Transfer", case.id), "idempotencyKey": "s", "preview": True}

    right, money = (await ask(market.people["centre"], SETTLE, input=input))["settleTransfer"][
        "moved"
    ]

    seller = {"kind": "ESCROW", "organisationName": market.seller.name}
    buyer = {"kind": "HOLDING", "organisationName": market.buyer.name}
    assert (right["source"], right["target"]) == (seller, buyer)
    assert right["quantity"] == TONNES
    assert right["instrument"] == {"code": market.right.code, "pollutant": {"code": "SO2"}}
    assert (money["instrument"]["pollutant"], money["quantity"]) == (None, "90000.00")


async def test_every_draft_has_the_next_case_number_of_its_year(
    open_market: asyncpg.Connection,
) -> None:
    market = await create_market()
    seller = market.people["seller"]
    sales = [sale_input(market, idempotencyKey=key, quantity="1.000") for key in ("a", "b")]

    await ask(seller, DRAFT, input=sale_input(market, preview=True))
    drafted = [(await ask(seller, DRAFT, input=sale))["draftTransfer"] for sale in sales]

    assert [made["caseNumber"] for made in drafted] == ["SL-2022-000001", "SL-2022-000002"]


async def test_an_equal_quantity_under_the_same_key_is_the_same_command(
    open_market: asyncpg.Connection,
) -> None:
    market = await create_market()
    seller = market.people["seller"]

    first, again = [
        (await ask(seller, DRAFT, input=sale_input(market, quantity=quantity)))["draftTransfer"]
        for quantity in ("0.2", "0.200")
    ]

    assert again == {**first, "replayed": True}


async def test_a_settled_case_shows_its_whole_history(open_market: asyncpg.Connection) -> None:
    market = await create_market()
    settled = await market.case_in(State.SETTLED)

    found = await fetch_case_id(market, "buyer")

    assert (found["state"], found["nextSteps"], found["deadlineAt"]) == ("SETTLED", [], None)
    assert found["certificate"] == {"number": settled.number, "revokedAt": None}
    assert len(found["findings"]) == 10
    assert [act["stateAfter"] for act in found["history"]["nodes"][::-1]] == [
        "DRAFT", "OFFERED", "ACCEPTED", "ELIGIBLE", "APPROVED", "CONTRACTED", "PAID", "SETTLED",
    ]  # fmt: skip
    assert found["history"]["nodes"][-1]["rule"] == "T-01"


@pytest.mark.parametrize(
    ("who", "sees"),
    [("seller", True), ("buyer", True), ("centre", True), ("city", True), ("county", False)],
)
async def test_the_price_is_for_those_who_may_see_it(
    open_market: asyncpg.Connection, who: str, sees: object
) -> None:
    market = await create_market()
    county = await create_organisation("county", city="131000", county="131002")
    market.people["county"] = await principal_of(await create_officer(county))
    market.seller.county = "131002"
    await market.seller.save(update_fields=["county"])
    await market.case_in(State.ELIGIBLE)

    found = await fetch_case_id(market, who)

    assert (found["price"] is not None) == (found["sum"] is not None) == sees
    assert (found["maskedFields"] == []) == sees
    assert set(found["maskedFields"]) <= {"price", "sum", "bankReference"}


async def test_what_ran_out_reads_as_expired(open_market: asyncpg.Connection) -> None:
    market = await create_market()
    case = await market.case_in(State.OFFERED)
    before = await fetch_case_id(market, "buyer")

    await stop_clock(open_market, case.deadline_at.replace(year=2023))
    after = await fetch_case_id(market, "buyer")

    assert before["bankReference"] is None
    assert before["nextSteps"] == ["ACCEPT", "ACCEPT_FIRST", "WITHDRAW", "EXPIRE"]
    assert before["availableActions"] == ["ACCEPT", "WITHDRAW"]
    assert (after["state"], after["nextSteps"], after["availableActions"]) == ("EXPIRED", [], [])


async def test_f08_anybody_verifies_a_certificate_with_its_title_and_issuer(
    open_market: asyncpg.Connection,
) -> None:
    market = await create_market()
    settled = await market.case_in(State.SETTLED)

    found = await ask(Principal(), VERIFY, n=settled.number)
    wrong = await ask(Principal(), VERIFY, n="HB-131000-2022-99999")

    assert found["certificate"] == {
        "number": settled.number,
        "quantity": TONNES,
        "seller": {"name": market.seller.name},
        "title": {"zh": "河北省主要污染物排放权交易鉴证书"},
        "issuer": {"kind": "CENTRE"},
    }
    assert wrong["certificate"] is None


def test_accepting_is_described_as_no_approval() -> None:
    assert "NOT an approval" in build_api_schema().as_str()
    assert "不构成审批" in build_api_schema().as_str()


FIND = """query ($where: TransferWhere) { transfers(first: 5, where: $where) { totalCount } }"""


async def count_found(caller: Principal, **where: object) -> int:
    found = await ask(caller, FIND, where=where)
    return int(found["transfers"]["totalCount"])


async def test_a_list_is_narrowed_by_pollutant_quantity_and_price(
    open_market: asyncpg.Connection,
) -> None:
    market = await create_market()
    await market.case_in(State.OFFERED)
    seller = market.people["seller"]

    assert await count_found(seller, pollutant=market.right.pollutant) == 1
    assert await count_found(seller, pollutant="NONE") == 0
    assert await count_found(seller, quantity={"gte": TONNES}) == 1
    assert await count_found(seller, quantity={"lt": TONNES}) == 0
    assert await count_found(seller, price={"gte": "0.01"}) == 1
    assert await count_found(seller, price={"lt": "0.01"}) == 0


async def test_a_filter_by_state_judges_as_of_now(open_market: asyncpg.Connection) -> None:
    market = await create_market()
    case = await market.case_in(State.OFFERED)
    seller = market.people["seller"]
    before = [await count_found(seller, state=s) for s in ("OFFERED", "EXPIRED")]

    await stop_clock(open_market, case.deadline_at)
    await open_market.execute("UPDATE registry_clock SET base_time = base_time + interval '1 day'")
    after = [await count_found(seller, state=[s]) for s in ("OFFERED", "EXPIRED")]

    assert (before, after) == ([1, 0], [0, 1])


@pytest.mark.parametrize("form", ["{}", "  {} ", "\ufeff{}\u3000"])
async def test_a_certificate_is_found_by_its_number_however_it_is_typed(
    open_market: asyncpg.Connection, form: str
) -> None:
    market = await create_market()
    number = (await market.case_in(State.SETTLED)).number
    full_width = number.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)})

    for typed in (number, number.lower(), full_width):
        found = await ask(Principal(), VERIFY, n=form.format(typed))
        assert found["certificate"]["number"] == number


async def test_an_organisation_is_found_by_a_part_of_its_name(
    open_market: asyncpg.Connection,
) -> None:
    assert open_market
    organisation = await create_organisation(name="唐山港陆钢铁有限公司（集团）Beihe")
    document = """query ($part: String!) { organisations(
        first: 5, where: {name: {contains: $part}}) { nodes { caption { zh } } } }"""

    for part in ("港陆钢", "港 陆钢", "有限公司(集团)", "ｅｉｈｅ"):
        found = await ask(Principal(), document, part=part)
        assert found["organisations"]["nodes"] == [{"caption": {"zh": organisation.name}}]
    missed = await ask(Principal(), document, part="陆港")
    assert missed["organisations"]["nodes"] == []
