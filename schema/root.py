"""The whole schema: what can be asked and what can be done, put together from the concepts.

Print it anew after a change: ``python -m schema.root > schema/schema.graphql``.
"""

import sys
from functools import cache

import strawberry

from policies.rulebook import RuleBook
from policies.vocabulary import VOCABULARY
from registry.access.rulebook_store import BUNDLED_RULEBOOK
from schema.build import GovernedSchema, KindVerb, build_schema, with_planner
from schema.documents.cost import Limits
from schema.types.accounts import AccountMutation, AccountQuery
from schema.types.agreements import AgreementMutation, AgreementQuery
from schema.types.freezes_and_reversals import FreezeAndReversalMutation, FreezeAndReversalQuery
from schema.types.parties import PartyMutation, PartyQuery
from schema.types.permits import PermitMutation, PermitQuery
from schema.types.projects import ProjectMutation, ProjectQuery
from schema.types.reference import ReferenceQuery
from schema.types.rulebook import RuleBookQuery
from schema.types.sanctions_and_clients import SanctionAndClientMutation, SanctionAndClientQuery
from schema.types.transfer_mutations import TransferMutation
from schema.types.transfers import TransferQuery

INTERNAL_VERBS: frozenset[KindVerb] = frozenset({("Organisation", "bootstrap")})
"""Verbs that are carried out from the command line, or by the registry itself."""


@strawberry.type(description="Queries 查询.")
class Query(
    RuleBookQuery,
    PartyQuery,
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


@strawberry.type(description="Mutations 办理.")
class Mutation(
    PartyMutation,
    SanctionAndClientMutation,
    PermitMutation,
    ProjectMutation,
    AccountMutation,
    FreezeAndReversalMutation,
    TransferMutation,
    AgreementMutation,
):
    """Every mutation of the API."""


@cache
def build_api_schema(limits: Limits | None = None) -> GovernedSchema:
    """The schema that serves, with the given limits of a document."""
    book = RuleBook.load(BUNDLED_RULEBOOK, VOCABULARY)
    return with_planner(
        build_schema(Query, Mutation, book=book, internal_verbs=INTERNAL_VERBS, limits=limits)
    )


if __name__ == "__main__":
    sys.stdout.write(f"{build_api_schema().as_str()}\n")
