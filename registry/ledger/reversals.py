"""Undoing an entry: what would have to move back, and whether it can."""

from typing import Annotated
from uuid import UUID, uuid4

from policies.vocabulary import Text
from registry.commands.operation import CommandContext
from registry.db.session import fetch_all, fetch_one, get_by_id
from registry.kernel.errors import Condition, NotFound
from registry.kernel.identifiers import REASON_LENGTH_MAX, check_text
from registry.kernel.legal_bases import LEDGER
from registry.kernel.parameters import Parameter, Reason
from registry.kernel.quantities import UNITS_ZH, format_quantity
from registry.ledger.journal import ensure_account
from registry.ledger.records import Entry, Reversal
from registry.ledger.rules import (
    REVERSIBLE_KINDS,
    AccountKind,
    EntryKind,
    Posting,
    ReversalState,
    net_changes,
    reverse_postings,
)

# The source of the content of an escrow account: the holder's own account that last filled it, or
# the holding account, which may have to be opened.
_ESCROW_SOURCES = """
    SELECT DISTINCT p.source AS escrow, p.instrument, e.organisation_id, coalesce(
        (SELECT b.source FROM posting b JOIN account h ON h.id = b.source
         WHERE b.target = p.source AND b.instrument = p.instrument
            AND b.recorded_at <= p.recorded_at
            AND h.organisation_id = e.organisation_id
         ORDER BY b.recorded_at DESC, b.target_sequence DESC LIMIT 1),
        (SELECT h.id FROM account h
         WHERE h.organisation_id = e.organisation_id AND h.kind = 'holding')) AS home
    FROM posting p JOIN account e ON e.id = p.source
    WHERE p.entry_id = $1 AND e.kind = 'escrow'
"""

_HOLDERS = """
    SELECT DISTINCT a.organisation_id
    FROM posting p JOIN account a ON a.id IN (p.source, p.target)
    WHERE p.entry_id = $1 AND a.organisation_id IS NOT NULL
    ORDER BY a.organisation_id
"""

_HOLDINGS = """
    SELECT a.id AS account, i.id AS instrument, a.kind, i.code, i.scale, i.unit, o.name,
        coalesce(o.name_en, o.name) AS name_en, coalesce(b.quantity, 0) AS quantity
    FROM unnest($1::uuid[], $2::uuid[]) AS wanted (account, instrument)
    JOIN account a ON a.id = wanted.account AND NOT a.issuer
    JOIN organisation o ON o.id = a.organisation_id
    JOIN instrument i ON i.id = wanted.instrument
    LEFT JOIN balance b ON b.account_id = a.id AND b.instrument_id = i.id
    ORDER BY i.code COLLATE "C", a.id
"""


async def load_reversal_postings(entry: UUID) -> tuple[Posting, ...]:
    """The movements that undo an entry.

    Units that came out of an escrow account go home to their holder: the case is closed, and
    nothing is blocked for it. A new id represents a holding account that is yet to be opened.
    """
    home = {
        (source["escrow"], source["instrument"]): source["home"] or uuid4()
        for source in await fetch_all(_ESCROW_SOURCES, entry)
    }
    return reverse_postings(await postings_of(entry), home)


async def open_return_accounts(entry: UUID) -> None:
    """Open the holding accounts that the reversal of an entry lacks."""
    for source in await fetch_all(_ESCROW_SOURCES, entry):
        if source["home"] is None:
            await ensure_account(source["organisation_id"], AccountKind.HOLDING)


async def affected_organisations(entry: UUID) -> list[UUID]:
    """The organisations whose accounts an entry touched."""
    return [found["organisation_id"] for found in await fetch_all(_HOLDERS, entry)]


async def _check_reversible(entry: Entry, postings: tuple[Posting, ...]) -> Condition:
    """Whether entries of this kind may be reversed, this one was not, and something would move."""
    earlier = await fetch_one("SELECT 1 FROM entry WHERE reverses = $1", entry.id)
    return Condition(
        name="entry_reversible",
        met=earlier is None and EntryKind(entry.kind) in REVERSIBLE_KINDS and bool(postings),
        message=Text(
            f"An entry of kind {entry.kind} is undone by the steps of its case."
            if earlier is None
            else "The entry is reversed already.",
            f"“{EntryKind(entry.kind).text.zh}”类分录须通过交易环节撤销。"
            if earlier is None
            else "该笔分录已冲正。",
        ),
    )


async def _check_still_held(postings: tuple[Posting, ...]) -> list[Condition]:
    """For each position that would have to give something back: whether it still holds it."""
    owed = {key: -net for key, net in net_changes(postings).items() if net < 0}
    held = await fetch_all(_HOLDINGS, [account for account, _ in owed], [item for _, item in owed])
    return [
        _check_position(position, owed[position["account"], position["instrument"]])
        for position in held
    ]


def _check_position(position: dict[str, object], owed: int) -> Condition:
    quantity, scale = int(str(position["quantity"])), int(str(position["scale"]))
    holds, needed = format_quantity(quantity, scale), format_quantity(owed, scale)
    unit_zh = UNITS_ZH[str(position["unit"])]
    what, kind = f"{position['code']} ({position['unit']})", AccountKind(str(position["kind"]))
    return Condition(
        name="still_held",
        met=quantity >= owed,
        message=Text(
            f"The {kind} account of {position['name_en']} holds {holds} of {what};"
            f" {needed} would have to come back.",
            f"{position['name']}的{kind.text.zh}可用量为{holds}{unit_zh}，"
            f"须返还{needed}{unit_zh}。",
        ),
        source=LEDGER,
    )


async def build_reversal(
    context: CommandContext,
    *,
    entry: Annotated[UUID, Parameter("The entry 分录.", refers="Entry")],
    reason: Reason,
) -> Reversal:
    """The proposal as it would be, with everybody the entry touched."""
    found = await Entry.get_or_none(id=entry)
    if found is None:
        raise NotFound("entry")
    return Reversal(
        id=uuid4(),
        entry_id=entry,
        state=ReversalState.PROPOSED.value,
        reason=check_text(reason, "reason", max_length=REASON_LENGTH_MAX),
        parties=await affected_organisations(entry),
        submitted_by=context.viewer.person,
        submitting_organisation=context.viewer.organisation,
        signatories=[],
        demo=found.demo,
        changed_at=context.now,
    )


async def check_undo(_context: CommandContext, reversal: Reversal, **_: object) -> list[Condition]:
    """Whether the entry may be reversed, and its receivers still hold what would come back."""
    entry = await get_by_id(Entry, reversal.entry_id)
    assert entry is not None, "a reversal names an entry"
    postings = await load_reversal_postings(entry.id)
    return [await _check_reversible(entry, postings), *await _check_still_held(postings)]


async def postings_of(entry: UUID) -> tuple[Posting, ...]:
    """The movements of an entry in their order."""
    found = await fetch_all(
        "SELECT source, target, instrument, quantity FROM posting"
        " WHERE entry_id = $1 ORDER BY line",
        entry,
    )
    return tuple(Posting(**posting) for posting in found)
