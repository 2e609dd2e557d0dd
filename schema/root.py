"""The whole schema: what can be asked and what can be done, put together from the concepts.

Print it anew after a change: ``python -m schema.root > schema/schema.graphql``.
"""

import sys
from functools import cache

import strawberry

from policies.rulebook import RuleBook
from policies.vocabulary import VOCABULARY
from registry.access.rulebook_store import SHIPPED
from schema.build import GovernedSchema, Word, build, with_plans
from schema.documents.cost import Limits
from schema.types.accounts import AccountMutation, AccountQuery
from schema.types.agreements import AgreementMutation, AgreementQuery
from schema.types.freezes_and_reversals import CorrectionMutation, CorrectionQuery
from schema.types.parties import PartyMutation, PartyQuery
from schema.types.permits import PermitMutation, PermitQuery
from schema.types.projects import ProjectMutation, ProjectQuery
from schema.types.reference import ReferenceQuery
from schema.types.rulebook import RuleQuery
from schema.types.sanctions_and_clients import MeasureMutation, MeasureQuery
from schema.types.transfer_mutations import TransferMutation
from schema.types.transfers import TransferQuery

INTERNAL: frozenset[Word] = frozenset({("Organisation", "bootstrap")})
"""Verbs that are carried out from the command line, or by the registry itself."""


@strawberry.type(description="What can be asked 查询.")
class Query(
    RuleQuery,
    PartyQuery,
    MeasureQuery,
    PermitQuery,
    ProjectQuery,
    AccountQuery,
    CorrectionQuery,
    TransferQuery,
    AgreementQuery,
    ReferenceQuery,
):
    """Every query of the API."""


@strawberry.type(description="What can be done 办理.")
class Mutation(
    PartyMutation,
    MeasureMutation,
    PermitMutation,
    ProjectMutation,
    AccountMutation,
    CorrectionMutation,
    TransferMutation,
    AgreementMutation,
):
    """Every mutation of the API."""


@cache
def whole_schema(limits: Limits | None = None) -> GovernedSchema:
    """The schema that serves, with the given limits of a document.

    Raises:
        SchemaRefused: naming everything that is wrong with it.

    """
    book = RuleBook.load(SHIPPED, VOCABULARY)
    return with_plans(build(Query, Mutation, book=book, internal=INTERNAL, limits=limits))


if __name__ == "__main__":
    sys.stdout.write(f"{whole_schema().as_str()}\n")
