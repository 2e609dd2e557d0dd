"""The whole schema: what can be asked and what can be done, put together from the concepts.

Print it anew after a change: ``python -m schema.root > schema/schema.graphql``.
"""

import sys
from functools import cache

import strawberry

from policies.book import RuleBook
from policies.vocabulary import VOCABULARY
from registry.editions import SHIPPED
from schema.accounts import AccountMutation, AccountQuery
from schema.agreements import AgreementMutation, AgreementQuery
from schema.build import GovernedSchema, Word, build, with_plans
from schema.corrections import CorrectionMutation, CorrectionQuery
from schema.limits import Limits
from schema.measures import MeasureMutation, MeasureQuery
from schema.parties import PartyMutation, PartyQuery
from schema.permits import PermitMutation, PermitQuery
from schema.projects import ProjectMutation, ProjectQuery
from schema.reference import ReferenceQuery
from schema.rules import RuleQuery
from schema.transferring import TransferMutation
from schema.transfers import TransferQuery

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
