"""The founding day as it stands when it is loaded."""

from uuid import UUID

from policies.vocabulary import VOCABULARY
from registry.access.principals import NIL, Caller
from registry.commands.command import Operation, command
from registry.db.session import row, rows
from registry.ledger.invariants import verify
from registry.transfers.approval import approve_transfer, qualify_transfer
from registry.transfers.offer import accept_transfer
from registry.transfers.records import Transfer
from registry.transfers.rules import State
from registry.transfers.settlement import contract_transfer, record_payment, settle_transfer
from seeds.demo.people import demo_people
from seeds.demo.scenario_columns import ENDS, founding_acts
from tests.seeds.registry_snapshot import count
from tests.support.cluster import Database
from tests.support.demo_databases import Told


async def test_every_act_of_the_files_was_carried_out_once(
    founded: Database, founding: Told
) -> None:
    acts = founding_acts()

    assert founding.loaded.performed == len(acts) == await count("act")
    assert await count("act", "key NOT LIKE 'founding:%'") == 0


async def test_the_clock_stands_at_ten_on_the_founding_day(founded: Database) -> None:
    clock = await row("SELECT reads, since FROM registry_clock")

    assert clock == {"reads": ENDS, "since": None}


async def test_the_ledger_verifies(founded: Database) -> None:
    assert [finding for finding in await verify() if not finding.sound] == []


async def test_the_provincial_reserve_is_what_the_article_gives(founded: Database) -> None:
    found = await rows(
        "SELECT i.pollutant, b.quantity, i.demo FROM balance b"
        " JOIN account a ON a.id = b.account_id JOIN instrument i ON i.id = b.instrument_id"
        " WHERE a.kind = 'reserve'"
    )

    assert {each["pollutant"]: each["quantity"] for each in found} == {
        "SO2": 26_000_000,
        "NOX": 44_000_000,
        "COD": 1_800_000,
        "NH3N": 200_000,
    }
    assert not any(each["demo"] for each in found)


async def test_a_transfer_stands_in_each_state(founded: Database) -> None:
    found = await rows("SELECT DISTINCT state FROM transfer")

    assert {each["state"] for each in found} == {state.value for state in State}


async def test_no_transfer_has_run_out_unnoticed(founded: Database) -> None:
    open_states = "('awaiting_signature', 'offered', 'approved', 'contracted')"

    assert await count("transfer", f"deadline_at < registry_now() AND state IN {open_states}") == 0


async def test_bodies_of_every_kind_are_registered(founded: Database) -> None:
    found = await rows("SELECT kind, count(*) AS number FROM organisation GROUP BY kind")

    assert {each["kind"]: each["number"] for each in found} == {
        "province": 1,
        "centre": 1,
        "city": 14,
        "county": 3,
        "government": 4,
        "bank": 1,
        "enterprise": 16,
        "verifier": 1,
        "auditor": 1,
        "portal": 1,
    }
    assert await count("organisation", "state = 'closed'") == 1
    assert await count("organisation", "two_representatives") >= 1
    assert await count("sanction", "demo AND state = 'in_force'") == 1
    assert await count("freeze_order", "demo AND target = 'position'") == 1


async def test_what_the_article_does_not_give_is_null_or_demonstration(founded: Database) -> None:
    assert await count("organisation", "NOT demo AND credit_code IS NOT NULL") == 0
    assert await count("organisation", "source = ''") == 0
    assert await count("permit", "NOT demo") == 0
    assert await count("project_demand", "demo OR quantity IS NOT NULL") == 0
    assert await count("project_demand") == 6
    assert await count("construction_project", "demo OR approval_number IS NOT NULL") == 0
    assert await count("agreement", "valid_from IS NOT NULL OR valid_until IS NOT NULL") == 0
    assert await count("transfer", "NOT demo") == 0
    assert await count("certificate", "NOT demo") == 0
    assert await count("entry", "NOT demo AND source NOT LIKE '河北日报 2022-06-09%'") == 0


async def test_nobody_signs_in_who_is_not_invented(founded: Database) -> None:
    real = "name ~ '李晋宇|黄强|于勇'"

    assert await count("person", f"NOT demo OR {real}") == 0
    assert await count("appointment", "NOT demo") == 0


async def test_six_agreements_are_signed_by_each_of_their_parties(founded: Database) -> None:
    assert await count("agreement") == await count("agreement", "state = 'signed'") == 6
    assert await count("agreement_party", "signed_by IS NULL") == 0
    assert await count("agreement_party", "china_date(signed_at) <> '2022-06-07'") == 0


async def test_one_appointment_has_lapsed_and_one_person_holds_two(founded: Database) -> None:
    held = await rows("SELECT person_id FROM appointment GROUP BY person_id HAVING count(*) = 2")

    assert len(held) == 1
    assert await count("appointment", "valid_until < registry_now()") == 1


async def test_there_is_a_sign_in_for_each_role_that_people_have(founded: Database) -> None:
    people = await demo_people()

    machines = {"public", "operator", "registry"}
    assert {person.role for person in people} == set(VOCABULARY.roles) - machines
    assert len({person.appointment for person in people} - {NIL}) == len(people) - 1


async def test_the_offer_can_be_taken_to_settlement(founded: Database, founding: Told) -> None:
    case = founding.loaded.objects["transfer-offered"]

    await _as("demo-enterprise-4-initiator", accept_transfer, case)
    await _as("demo-centre-approver", qualify_transfer, case)
    await _as("demo-langfang-approver", approve_transfer, case)
    await _as("demo-centre-initiator", contract_transfer, case, contract_number="2022-100")
    await _as(
        "demo-centre-initiator", record_payment, case, money=1_220_000, reference="20220607-1"
    )
    await _as("demo-centre-initiator", settle_transfer, case)

    settled = await Transfer.get(id=case)
    assert settled.state == State.SETTLED
    assert settled.number == "HB-131000-2022-00004"


async def _as(subject: str, operation: Operation[Transfer], case: UUID, **args: object) -> None:
    await command(
        operation,
        Caller(subject=subject, client="demonstration"),
        {"id": case, **args},
        key=operation.name,
    )
