"""The founding day after it is loaded."""

from uuid import UUID

from policies.vocabulary import VOCABULARY
from registry.access.principals import NIL, Principal
from registry.commands.command import execute_command
from registry.commands.operation import Operation
from registry.concepts import verify_registry
from registry.db.session import fetch_all, fetch_one
from registry.transfers.approval import approve_transfer, qualify_transfer
from registry.transfers.offer import accept_transfer
from registry.transfers.records import Transfer
from registry.transfers.rules import State
from registry.transfers.settlement import contract_transfer, record_payment, settle_transfer
from seeds.demo.people import demo_people
from seeds.demo.scenario_columns import ENDS_AT, founding_day_steps
from tests.seeds.registry_snapshot import count_rows
from tests.support.cluster import Database
from tests.support.demo_databases import LoadedDemo


async def test_every_step_of_the_files_was_executed_once(
    founding_database: Database, founding_demo: LoadedDemo
) -> None:
    acts = founding_day_steps()

    assert founding_demo.report.executed == len(acts) == await count_rows("audit_entry")
    assert await count_rows("audit_entry", "key NOT LIKE 'founding:%'") == 0


async def test_the_clock_is_stopped_at_ten_on_the_founding_day(founding_database: Database) -> None:
    clock = await fetch_one("SELECT base_time, running_since FROM registry_clock")

    assert clock == {"base_time": ENDS_AT, "running_since": None}


async def test_the_ledger_verifies(founding_database: Database) -> None:
    assert [finding for finding in await verify_registry() if not finding.is_satisfied] == []


async def test_the_provincial_reserve_is_what_the_article_gives(
    founding_database: Database,
) -> None:
    found = await fetch_all(
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


async def test_every_state_has_a_transfer(founding_database: Database) -> None:
    found = await fetch_all("SELECT DISTINCT state FROM transfer")

    assert {each["state"] for each in found} == {state.value for state in State}


async def test_no_transfer_has_run_out_unnoticed(founding_database: Database) -> None:
    open_states = "('awaiting_signature', 'offered', 'approved', 'contracted')"

    assert (
        await count_rows("transfer", f"deadline_at < registry_now() AND state IN {open_states}")
        == 0
    )


async def test_organisations_of_every_kind_are_registered(founding_database: Database) -> None:
    found = await fetch_all("SELECT kind, count(*) AS number FROM organisation GROUP BY kind")

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
    assert await count_rows("organisation", "state = 'closed'") == 1
    assert await count_rows("organisation", "two_representatives") >= 1
    assert await count_rows("sanction", "demo AND state = 'in_force'") == 1
    assert await count_rows("freeze_order", "demo AND target = 'position'") == 1


async def test_what_the_article_does_not_give_is_null_or_demonstration(
    founding_database: Database,
) -> None:
    assert await count_rows("organisation", "NOT demo AND credit_code IS NOT NULL") == 0
    assert await count_rows("organisation", "source = ''") == 0
    assert await count_rows("permit", "NOT demo") == 0
    assert await count_rows("project_demand", "demo OR quantity IS NOT NULL") == 0
    assert await count_rows("project_demand") == 6
    assert await count_rows("construction_project", "demo OR approval_number IS NOT NULL") == 0
    assert await count_rows("agreement", "valid_from IS NOT NULL OR valid_until IS NOT NULL") == 0
    assert await count_rows("transfer", "NOT demo") == 0
    assert await count_rows("certificate", "NOT demo") == 0
    assert await count_rows("entry", "NOT demo AND source NOT LIKE '河北日报 2022-06-09%'") == 0


async def test_nobody_signs_in_who_is_not_invented(founding_database: Database) -> None:
    real = "name ~ '李晋宇|黄强|于勇'"

    assert await count_rows("person", f"NOT demo OR {real}") == 0
    assert await count_rows("appointment", "NOT demo") == 0


async def test_six_agreements_are_signed_by_each_of_their_parties(
    founding_database: Database,
) -> None:
    assert await count_rows("agreement") == await count_rows("agreement", "state = 'signed'") == 6
    assert await count_rows("agreement_party", "signed_by IS NULL") == 0
    assert await count_rows("agreement_party", "china_date(signed_at) <> '2022-06-07'") == 0


async def test_one_appointment_has_lapsed_and_one_person_holds_two(
    founding_database: Database,
) -> None:
    held = await fetch_all(
        "SELECT person_id FROM appointment GROUP BY person_id HAVING count(*) = 2"
    )

    assert len(held) == 1
    assert await count_rows("appointment", "valid_until < registry_now()") == 1


async def test_there_is_a_sign_in_for_each_role_that_people_have(
    founding_database: Database,
) -> None:
    people = await demo_people()

    machines = {"public", "operator", "registry"}
    assert {person.role for person in people} == set(VOCABULARY.roles) - machines
    assert len({person.appointment for person in people} - {NIL}) == len(people) - 1


async def test_the_offer_can_be_taken_to_settlement(
    founding_database: Database, founding_demo: LoadedDemo
) -> None:
    case = founding_demo.report.object_ids["transfer-offered"]

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
    await execute_command(
        operation,
        Principal(subject=subject, client="demonstration"),
        {"id": case, **args},
        key=operation.name,
    )
