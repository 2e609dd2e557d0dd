"""The journal: what is written goes through ``post_entry``, what is asked is one statement each."""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import product
from typing import TypedDict, Unpack
from uuid import UUID, uuid4

from registry.commands.operation import CommandContext, PostingPreview
from registry.db.session import ValueStatement, execute, fetch_all, fetch_one
from registry.kernel.errors import Malformed, NotFound
from registry.ledger.records import Account, Instrument
from registry.ledger.rules import AccountKind, EntryKind, Posting, Right, check_basin


class EntryDetails(TypedDict, total=False):
    """The data of an entry besides its postings."""

    reverses: UUID | None  # The entry it undoes; only and always with ``EntryKind.REVERSAL``.
    effective_at: datetime | None  # Since when it holds, where that was before it was known.
    reference: str | None  # The bank's reference of money that enters or leaves.
    source: str | None  # Where the figures come from.
    note: str  # Anything else a reader should know.
    demo: bool  # Demonstration data.


_POST_ENTRY = """
    SELECT post_entry($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
        $11::uuid[], $12::uuid[], $13::uuid[], $14::bigint[])
"""


def post_entry(
    context: CommandContext,
    kind: EntryKind,
    postings: Sequence[Posting],
    **details: Unpack[EntryDetails],
) -> UUID:
    """Write one entry with the record of the command: all its postings in their order, or nothing.

    The refusals below are those of the statement in which the frame saves.

    Args:
        context: the command, which the rules have allowed.
        kind: why it moves; decides whether the issuance account or outside money may be touched.
        postings: 1 to ``LINES_MAX`` movements.
        details: see ``EntryDetails``.

    Raises:
        PermissionError: the rules were not asked.
        Insufficient: a holder would fall below zero, or a city would exceed its cap.
        Frozen: something would leave what is frozen, other than home to its holder.
        NotInForce: a right is past its last day, and the entry neither ends nor returns it.
        NotFound: an account or instrument does not exist.
        Duplicate: the bank reference, or the reversal of the entry, is recorded already.

    Rule: registration precedes trade; 权款结算 is one entry.

    """
    context.authorized()
    entry = uuid4()
    args = (
        entry,
        context.audit_entry_id,
        kind.value,
        context.now,
        details.get("effective_at"),
        details.get("reverses"),
        details.get("note", ""),
        details.get("source") or None,
        details.get("demo", False),
        details.get("reference"),
        tuple(posting.source for posting in postings),
        tuple(posting.target for posting in postings),
        tuple(posting.instrument for posting in postings),
        tuple(posting.quantity for posting in postings),
    )
    context.run_first.append(ValueStatement(_POST_ENTRY, args))
    context.postings += [
        PostingPreview(p.source, p.target, p.instrument, p.quantity) for p in postings
    ]
    return entry


_OPEN_ACCOUNT = """
    INSERT INTO account (id, organisation_id, kind)
    SELECT $1, id, $3 FROM organisation WHERE id = $2
    ON CONFLICT DO NOTHING
"""


async def ensure_account(organisation: UUID, kind: AccountKind) -> Account:
    """The organisation's account of a kind, opened where it has none."""
    account = await Account.get_or_none(organisation_id=organisation, kind=kind.value)
    if account is None:
        await execute(_OPEN_ACCOUNT, uuid4(), organisation, kind.value)
        account = await Account.get_or_none(organisation_id=organisation, kind=kind.value)
    if account is None:
        raise NotFound("organisation")
    return account


_ACCOUNTS = """
    SELECT organisation_id, kind, id FROM account
    WHERE organisation_id = ANY($1::uuid[]) AND kind = ANY($2::text[])
"""

AccountKey = tuple[UUID, AccountKind]


async def ensure_accounts(
    context: CommandContext, organisations: Collection[UUID], *kinds: AccountKind
) -> dict[AccountKey, UUID]:
    """The accounts of each kind of several organisations, opened where they have none."""
    kept: dict[tuple[UUID, str], UUID] = dict(context.accounts)
    wanted = list(product(sorted(organisations), kinds))
    if not kept.keys() >= set(wanted):
        for account in await fetch_all(_ACCOUNTS, list(organisations), list(kinds)):
            kept[account["organisation_id"], account["kind"]] = account["id"]
    return {key: kept[key] if key in kept else (await ensure_account(*key)).id for key in wanted}


_INSERT_INSTRUMENT = """
    INSERT INTO instrument (id, code, class, pollutant, origin_city, basin, acquisition,
        valid_from, valid_until, unit, scale, demo)
    SELECT $1, $2, 'right', p.code, d.code, $5, $6, $7::date, $8::date, p.unit, p.scale, $9
    FROM pollutant p, division d WHERE p.code = $3 AND d.code = $4
    ON CONFLICT DO NOTHING
"""


async def ensure_instrument(right: Right) -> Instrument:
    """The instrument of a right, entered where there is none, in its pollutant's unit and scale.

    Raises:
        Malformed: pollutant or origin do not exist, or what goes into the air has a basin.

    """
    medium = await fetch_one("SELECT medium FROM pollutant WHERE code = $1", right.pollutant)
    if medium is None:
        raise Malformed("pollutant", "There is no such pollutant.", "不存在该污染物。")
    check_basin(medium["medium"], right.basin)
    instrument = await Instrument.get_or_none(code=right.code)
    if instrument is None:
        await execute(
            _INSERT_INSTRUMENT,
            uuid4(),
            right.code,
            right.pollutant,
            right.origin,
            right.basin,
            right.acquisition.value,
            right.valid_from,
            right.valid_until,
            right.demo,
        )
        instrument = await Instrument.get_or_none(code=right.code)
    if instrument is None:
        raise Malformed("origin", "There is no such division.", "不存在该行政区划。")
    return instrument
