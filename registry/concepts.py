"""The concepts of the registry, from the bottom up, and all that they declare together."""

from collections.abc import Awaitable, Callable
from functools import reduce
from operator import or_
from typing import Any

import asyncpg

from registry.agreements import CONCEPT as AGREEMENTS
from registry.commands import records as command_records
from registry.commands.concept import Concept
from registry.commands.operation import Operation
from registry.db.errors import ErrorTranslations
from registry.db.migrations.grants import SHARED_GRANTS, Grants
from registry.db.session import open_database
from registry.ledger import CONCEPT as LEDGER
from registry.ledger.verification import CheckResult, verify
from registry.parties import CONCEPT as PARTIES
from registry.parties.closing_checks import use_closing_checks
from registry.permits import CONCEPT as PERMITS
from registry.reference import CONCEPT as REFERENCE
from registry.reference.cache import use_demo_figures
from registry.transfers import CONCEPT as TRANSFERS

CONCEPTS: tuple[Concept, ...] = (REFERENCE, PARTIES, LEDGER, PERMITS, TRANSFERS, AGREEMENTS)

OPERATIONS: dict[str, Operation[Any]] = {
    name: operation for concept in CONCEPTS for name, operation in concept.operations.items()
}
"""Every operation by name."""

GRANTS: Grants = reduce(or_, (concept.grants for concept in CONCEPTS), SHARED_GRANTS)
"""The privileges of the application role on all tables and functions."""


async def open_registry(
    url: str,
    *,
    minsize: int = 1,
    maxsize: int = 10,
    demo_figures: bool = True,
    on_connect: "Callable[[asyncpg.Connection[Any]], Awaitable[None]] | None" = None,
) -> None:
    """Open the database of this process with everything that the concepts declare.

    ``demo_figures``: figures marked as demonstration decide; in production they do not.
    """
    use_demo_figures(decide=demo_figures)
    use_closing_checks(check for concept in CONCEPTS for check in concept.closing_checks)
    await open_database(
        url,
        records=[command_records, *(each.records for each in CONCEPTS if each.records)],
        translations=ErrorTranslations(
            {name: make for each in CONCEPTS for name, make in each.errors.constraints.items()},
            {state: make for each in CONCEPTS for state, make in each.errors.sqlstates.items()},
        ),
        minsize=minsize,
        maxsize=maxsize,
        on_connect=on_connect,
    )


async def verify_registry() -> tuple[CheckResult, ...]:
    """The result of every invariant check of every concept."""
    return await verify(CONCEPTS)
