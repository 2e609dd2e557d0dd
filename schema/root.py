"""The whole schema: what can be asked and what can be done, put together from the concepts.

Print it anew after a change: ``python -m schema.root > schema/schema.graphql``.
"""

import sys
from functools import cache
from typing import Any

import strawberry

from policies.rulebook import RuleBook
from policies.vocabulary import VOCABULARY
from registry.access.rulebook_store import BUNDLED_RULEBOOK
from registry.agreements import operations as agreements
from registry.commands.operation import Operation
from registry.concepts import OPERATIONS
from registry.transfers import approval, offer, settlement
from schema.build import GovernedSchema, KindVerb, build_schema, with_planner
from schema.documents.cost import Limits
from schema.framework.governed import Governed
from schema.framework.mutations import mutation_type
from schema.types.accounts import Account, AccountQuery
from schema.types.agreements import Agreement, AgreementQuery
from schema.types.freezes_and_reversals import Freeze, FreezeAndReversalQuery, Reversal
from schema.types.own_appointments import OwnAppointmentQuery
from schema.types.parties import Appointment, Organisation, PartyQuery, Person
from schema.types.permits import Permit, PermitQuery
from schema.types.projects import Assessment, ConstructionProject, ProjectQuery
from schema.types.reference import ParameterConfirmation, ReferenceQuery
from schema.types.rulebook import RuleBookQuery
from schema.types.sanctions_and_clients import (
    Client,
    Sanction,
    SanctionAndClientQuery,
    check_document,
)
from schema.types.transfers import Transfer, TransferQuery

INTERNAL_VERBS: frozenset[KindVerb] = frozenset({("Organisation", "bootstrap")})
"""Verbs that are carried out from the command line, or by the registry itself."""


@strawberry.type(description="Queries 查询.")
class Query(
    RuleBookQuery,
    PartyQuery,
    OwnAppointmentQuery,
    SanctionAndClientQuery,
    PermitQuery,
    ProjectQuery,
    AccountQuery,
    FreezeAndReversalQuery,
    TransferQuery,
    AgreementQuery,
    ReferenceQuery,
):
    """Every query of the API."""


GOVERNED_TYPES: tuple[type[Governed], ...] = (
    Organisation, Person, Appointment, Sanction, Client, Permit, ConstructionProject, Assessment,
    Account, Freeze, Reversal, Transfer, Agreement, ParameterConfirmation,
)  # fmt: skip
"""The types of the kinds that clients change."""

SHARED_INPUTS: dict[str, tuple[Operation[Any], ...]] = {
    "TransferInput": (
        offer.countersign_transfer,
        offer.accept_transfer,
        approval.qualify_transfer,
        approval.approve_transfer,
        settlement.settle_transfer,
        settlement.expire_transfer,
    ),
    "ReasonedTransferInput": (offer.withdraw_transfer, approval.reject_transfer),
    "AgreementInput": (
        agreements.sign_agreement,
        agreements.bring_into_force,
        agreements.complete_agreement,
    ),
    "EndAgreementInput": (agreements.withdraw_agreement, agreements.terminate_agreement),
}
"""Inputs that several mutations take; every other mutation has one of its own name."""

Mutation = mutation_type(
    (each for each in OPERATIONS.values() if (each.kind.name, each.verb) not in INTERNAL_VERBS),
    GOVERNED_TYPES,
    shared_inputs=SHARED_INPUTS,
    input_checks={"register_persisted_query": check_document},
)
"""Every mutation of the API, one of each operation of every concept."""


@cache
def build_api_schema(limits: Limits | None = None) -> GovernedSchema:
    """The schema that serves, with the given limits of a document."""
    book = RuleBook.load(BUNDLED_RULEBOOK, VOCABULARY)
    return with_planner(
        build_schema(Query, Mutation, book=book, internal_verbs=INTERNAL_VERBS, limits=limits)
    )


if __name__ == "__main__":
    sys.stdout.write(f"{build_api_schema().as_str()}\n")
