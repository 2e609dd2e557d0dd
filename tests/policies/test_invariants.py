"""Invariants of the rule book, held over every entry of every truth table."""

from policies.dnf import subsets
from policies.vocabulary import VOCABULARY
from tests.policies.shipped import BOOK, CELLS, EDITION, FOLLOWS, allowed

PUBLIC = {
    ("Organisation", "view"),
    ("Permit", "view"),
    ("ConstructionProject", "view"),
    ("Assessment", "view"),
    ("Agreement", "view"),
    ("Certificate", "view"),
    ("ParameterConfirmation", "view"),
}
DECIDING = ("approve", "reject", "qualify", "opine", "countersign")


def verbs_of(role: str) -> set[tuple[str, str]]:
    return {(decision.kind, decision.verb) for decision, _ in allowed(role=role)}


def test_nobody_decides_an_own_submission() -> None:
    for verb in DECIDING:
        yes = allowed(verb=verb)

        assert yes
        assert not any("submitter" in facts for _, facts in yes)


def test_one_person_signs_once_in_a_case() -> None:
    for verb in DECIDING:
        assert not any("already_acted" in facts for _, facts in allowed(verb=verb))


def test_one_person_does_not_bind_both_sides() -> None:
    for _, facts in allowed(kind="Transfer", verb="accept"):
        assert not {"submitter", "already_acted"} & facts


def test_an_official_decides_at_one_level_of_a_transfer() -> None:
    writes = {verb.name for verb in VOCABULARY.kinds["Transfer"].verbs if not verb.is_read}
    for role in ("province", "centre", "city", "county"):
        for verb in writes - {"expire"}:
            for _, facts in allowed(role=role, kind="Transfer", verb=verb):
                assert not {"already_acted", "acted_elsewhere"} & facts


def test_no_officer_of_a_party_decides_its_transfer() -> None:
    for verb in ("approve", "reject", "qualify", "opine"):
        yes = allowed(kind="Transfer", verb=verb)
        assert not any("same_body_as_submitter" in facts for _, facts in yes)


def test_a_second_representative_of_the_same_organisation_may_countersign() -> None:
    facts_of_cell = {name for name, _ in EDITION.fact_bits("enterprise", "Transfer", "countersign")}

    assert "same_body_as_submitter" not in facts_of_cell


def test_a_city_decides_only_transfers_inside_itself() -> None:
    for verb in ("approve", "reject"):
        for _, facts in allowed(role="city", kind="Transfer", verb=verb):
            assert {"same_city", "seller_city_own", "stage_eligible", "may_approve"} <= facts


def test_a_city_opines_once_on_a_transfer_that_touches_it() -> None:
    for _, facts in allowed(role="city", kind="Transfer", verb="opine"):
        assert {"cross_city", "stage_eligible"} <= facts
        assert {"seller_city_own", "buyer_city_own"} & facts
        assert "own_opinion_given" not in facts


def test_the_province_decides_across_cities_once_both_opinions_exist() -> None:
    for verb in ("approve", "reject"):
        for _, facts in allowed(role="province", kind="Transfer", verb=verb):
            assert {"cross_city", "both_opinions_given", "stage_eligible"} <= facts


def test_only_city_and_province_approve_transfers() -> None:
    roles = {decision.role for decision, _ in allowed(kind="Transfer", verb="approve")}

    assert roles == {"city", "province"}


def test_an_enterprise_decides_nothing_about_transfers() -> None:
    assert not {verb for kind, verb in verbs_of("enterprise") if kind == "Transfer"} & {
        "approve",
        "reject",
        "qualify",
        "opine",
        "settle",
    }


def test_a_lapsed_appointment_or_a_missing_scope_gets_nothing() -> None:
    for decision, facts in allowed():
        if decision.role != "registry":
            assert not {"appointment_lapsed", "scope_missing"} & facts
            care = {
                name for name, _ in EDITION.fact_bits(decision.role, decision.kind, decision.verb)
            }
            assert {"appointment_lapsed", "scope_missing"} <= care


def test_frozen_organisations_bind_themselves_to_no_trade() -> None:
    for verb in ("draft", "offer", "accept", "countersign"):
        assert not any("frozen" in facts for _, facts in allowed(kind="Transfer", verb=verb))


def test_f04_a_sanction_keeps_an_organisation_from_buying_and_not_from_selling() -> None:
    for verb in ("accept", "countersign"):
        for _, facts in allowed(kind="Transfer", verb=verb):
            assert not {"sanctioned", "own_purchase"} <= facts
    assert any("sanctioned" in facts for _, facts in allowed(kind="Transfer", verb="countersign"))
    for verb in ("draft", "offer"):
        asked = EDITION.fact_bits("enterprise", "Transfer", verb)
        assert "sanctioned" not in {name for name, _ in asked}


def test_every_change_needs_the_right_to_initiate_or_approve() -> None:
    for decision, facts in allowed():
        verb = VOCABULARY.verb(decision.kind, decision.verb)
        assert verb is not None
        if not verb.is_read and decision.role not in {"registry", "operator"}:
            assert {"may_initiate", "may_approve"} & facts


def test_portal_and_public_look_at_what_is_public_and_do_nothing() -> None:
    for role in ("portal", "public"):
        assert verbs_of(role) == PUBLIC
        for _, facts in allowed(role=role, kind="Agreement"):
            assert "published" in facts


def test_the_operator_only_bootstraps_and_registers_first_party_clients() -> None:
    assert verbs_of("operator") == PUBLIC | {
        ("Organisation", "bootstrap"),
        ("Client", "view"),
        ("Client", "register"),
    }


def test_the_machine_only_sweeps_and_blocks() -> None:
    assert verbs_of("registry") == {
        ("Transfer", "view"),
        ("Transfer", "expire"),
        ("Account", "view"),
        ("Freeze", "impose"),
    }


def test_the_auditor_only_reads_and_manages_the_own_organisation() -> None:
    writes = {(k, v) for k, v in verbs_of("auditor") if not v.startswith("view")}

    assert writes == {
        ("Organisation", "change"),
        ("Person", "register"),
        ("Appointment", "appoint"),
        ("Appointment", "countersign"),
        ("Appointment", "end"),
        ("Client", "register_persisted_query"),
        ("Client", "retire_persisted_query"),
        ("Client", "restrict_to_persisted_queries"),
    }


def test_money_and_opening_stocks_belong_to_one_office_each() -> None:
    assert {d.role for d, _ in allowed(verb="open_reserve")} == {"province"}
    assert {d.role for d, _ in allowed(verb="open_holding")} == {"province"}
    for verb in ("pay_out", "contract", "record_payment", "settle"):
        assert {d.role for d, _ in allowed(verb=verb)} == {"centre"}


def test_what_an_authority_imposed_is_not_lifted_by_a_lower_one() -> None:
    for kind in ("Sanction", "Freeze"):
        for decision, facts in allowed(kind=kind, verb="lift"):
            assert decision.role == "province" or "same_body_as_submitter" in facts


def test_the_price_is_seen_by_the_parties_and_the_deciding_authorities() -> None:
    roles = {decision.role for decision, _ in allowed(kind="Transfer", verb="view_price")}

    assert roles == {"enterprise", "city", "province", "centre", "auditor"}
    for _, facts in allowed(role="enterprise", kind="Transfer", verb="view_price"):
        assert {"own_sale", "own_purchase"} & facts


def test_permission_to_change_an_object_implies_seeing_it() -> None:
    for role, kind, name in CELLS:
        verb = VOCABULARY.verb(kind, name)
        assert verb is not None
        if name == "view" or verb.creates:
            continue
        sight = EDITION.fact_bits(role, kind, "view")
        for decision, _ in allowed(role=role, kind=kind, verb=name):
            # The client's scope is judged for each verb by itself.
            care = sum(bit for _, bit in EDITION.fact_bits(role, kind, name))
            open_facts = [b for n, b in sight if not care & b and n != "scope_missing"]
            asked = set(BOOK.fact_names(care | sum(open_facts)))
            for mask in (decision.mask | rest for rest in subsets(open_facts)):
                if possible(mask, asked):
                    assert EDITION.evaluate(role, kind, "view", mask), (role, kind, name)


def possible(mask: int, asked: set[str]) -> bool:
    """Whether no two facts are true that exclude each other, and each that follows from others."""
    true = set(BOOK.fact_names(mask))
    return all(len(true & group) <= 1 for group in VOCABULARY.exclusive) and not any(
        fact in asked - true for facts, fact in FOLLOWS if facts <= true
    )


def test_the_buyers_side_sees_a_transfer_only_once_it_was_offered() -> None:
    sides = {"own_sale", "seller_inside", "seller_city_own"}
    for role in ("enterprise", "city", "county"):
        for verb in ("view", "view_price", "withdraw", "comment"):
            for _, facts in allowed(role=role, kind="Transfer", verb=verb):
                assert facts & sides or "was_offered" in facts
