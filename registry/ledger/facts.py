"""Accounts, freezes and reversals as the rule book sees them."""

from registry.access.kinds import Fact, Kind, column_predicate, state_predicate
from registry.ledger.records import Account, Freeze, Reversal
from registry.ledger.rules import AccountKind, FreezeState, ReversalState
from registry.parties.facts import (
    ALREADY_SIGNED,
    INSIDE,
    OWN,
    SAME_ORGANISATION_AS_SUBMITTER,
    SUBMITTER,
)

ACCOUNT = Kind(
    name="Account",
    record=Account,
    facts={
        # Issuance and outside money have no owner: unguarded, the SQL would be NULL.
        "own": Fact(OWN.check, f"({{t}}.organisation_id IS NOT NULL AND {OWN.where})"),
        "inside": INSIDE,
        # A payment leaves the outside account and waits in escrow until its case is settled.
        "shows_open_cases": column_predicate("kind", AccountKind.ESCROW, AccountKind.OUTSIDE),
        "holding_account": column_predicate("kind", AccountKind.HOLDING),
        "reserve_account": column_predicate("kind", AccountKind.RESERVE),
    },
    organisation_columns=("organisation_id",),
    waiting_since_column="id",
    masks={"view_money": ("money",)},
)

FREEZE = Kind(
    name="Freeze",
    record=Freeze,
    facts={
        "own": OWN,
        "inside": INSIDE,
        "same_body_as_submitter": SAME_ORGANISATION_AS_SUBMITTER,
        "stage_in_force": state_predicate(FreezeState.IN_FORCE),
    },
    organisation_columns=("organisation_id",),
)

REVERSAL = Kind(
    name="Reversal",
    record=Reversal,
    facts={
        "party": Fact(
            check=lambda viewer, reversal: viewer.organisation in reversal.parties,
            where=":organisation = ANY ({t}.parties)",
        ),
        "submitter": SUBMITTER,
        "already_acted": ALREADY_SIGNED,
        "stage_proposed": state_predicate(ReversalState.PROPOSED),
    },
    organisation_columns=("parties",),
)
