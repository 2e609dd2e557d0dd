"""Postings, codes of instruments, validity of rights. Pure.

Pure: no database, no clock.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from registry.kernel.errors import Malformed
from registry.kernel.quantities import MONEY_MAX
from registry.kernel.words import DescribedEnum

ISSUANCE_ACCOUNT = UUID("00000000-0000-4000-8000-000000000001")
"""The account rights come from and end in; below zero by as much as is in circulation."""

OUTSIDE_ACCOUNT = UUID("00000000-0000-4000-8000-000000000002")
"""The account of all money outside the registry."""

MONEY_INSTRUMENT = UUID("00000000-0000-4000-8000-000000000003")
"""The instrument CNY, counted in fen."""

LINES_MAX = 1000
"""Most postings of one entry."""


class AccountKind(DescribedEnum):
    """The purpose of an account 账户类别."""

    HOLDING = "holding", "Holding of an organisation", "持有账户"
    ESCROW = "escrow", "Escrow of a transfer", "交易锁定账户"
    RESERVE = "reserve", "Reserve of a government", "储备账户"
    ISSUANCE = "issuance", "Counterpart of issued rights", "核发账户"
    OUTSIDE = "outside", "Counterpart of money outside the registry", "场外资金账户"


class EntryKind(DescribedEnum):
    """The reason of a ledger entry 分录类别."""

    OPENING = "opening", "Opening stock", "期初"
    BLOCK = "block", "Rights locked for a transfer", "交易锁定"
    RELEASE = "release", "Locked rights released", "解除冻结"
    PAYMENT = "payment", "Payment received", "付款"
    PAYOUT = "payout", "Payment out", "资金划付"
    SETTLEMENT = "settlement", "Settlement of a transfer", "权款结算"
    REFUND = "refund", "Refund", "退款"
    REVERSAL = "reversal", "Reversal of an entry", "冲正"
    EXPIRY = "expiry", "Expiry of rights", "到期失效"
    CONVERSION = "conversion", "Conversion of rights", "转换"


class Acquisition(DescribedEnum):
    """How a right was acquired 取得方式."""

    PAID = "PAID", "Acquired for payment", "有偿取得"
    FREE = "FREE", "Acquired free of charge", "无偿取得"


class Basin(DescribedEnum):
    """A river basin of the province 流域."""

    LIAO = "liao", "Liao", "辽河流域"
    HAI = "hai", "Hai", "海河流域"
    INLAND = "inland", "Inland rivers", "内流区"


class FreezeTarget(DescribedEnum):
    """The target of a freeze 冻结对象."""

    ORGANISATION = "organisation", "The whole organisation", "单位整体"
    ACCOUNT = "account", "One account", "账户"
    POSITION = "position", "One instrument of an account", "账户内单项排污权"


class FreezeState(DescribedEnum):
    """The state of a freeze as of now; expiry is never stored 冻结状态."""

    IN_FORCE = "in_force", "In force", "有效"
    LIFTED = "lifted", "Lifted", "已解除"
    EXPIRED = "expired", "Past its end", "已到期"


FREEZE_TRANSITIONS = {(FreezeState.IN_FORCE, "lift"): FreezeState.LIFTED}


class ReversalState(DescribedEnum):
    """The state of a reversal 冲正状态."""

    PROPOSED = "proposed", "Awaits the decision", "已提出"
    APPROVED = "approved", "The entry is undone", "已批准"
    REJECTED = "rejected", "The entry stays", "不予批准"


REVERSAL_TRANSITIONS = {
    (ReversalState.PROPOSED, "approve"): ReversalState.APPROVED,
    (ReversalState.PROPOSED, "reject"): ReversalState.REJECTED,
}

REVERSIBLE_KINDS = frozenset(
    {
        EntryKind.OPENING,
        EntryKind.PAYOUT,
        EntryKind.SETTLEMENT,
        EntryKind.EXPIRY,
        EntryKind.CONVERSION,
    }
)
"""Entries that may be reversed. Blocking, releasing, paying in and refunding belong to a case that
is under way or took its own way back, and are undone by the steps of that case."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One movement. Source and target make it balanced by its form."""

    source: UUID  # The account that gives.
    target: UUID  # The account that receives.
    instrument: UUID
    quantity: int  # Base units of the instrument, or fen; more than zero.

    def __post_init__(self) -> None:
        """Refuse what moves nothing, or more than any figure may be."""
        is_money = self.instrument == MONEY_INSTRUMENT
        field, zh = ("money", "金额") if is_money else ("quantity", "数量")
        if self.quantity <= 0:
            raise Malformed(field, f"The {field} must be more than zero.", f"{zh}必须大于零。")
        if self.quantity > MONEY_MAX:
            raise Malformed(field, f"The {field} is too large.", f"{zh}过大。")
        if self.source == self.target:
            raise Malformed(
                "target",
                "A posting goes from one account to another.",
                "转出与转入不得为同一账户。",
            )


def net_changes(postings: Iterable[Posting]) -> dict[tuple[UUID, UUID], int]:
    """Net change of the postings by account and instrument, without zero sums."""
    net: dict[tuple[UUID, UUID], int] = {}
    for posting in postings:
        given, received = (
            (posting.source, posting.instrument),
            (posting.target, posting.instrument),
        )
        net[given] = net.get(given, 0) - posting.quantity
        net[received] = net.get(received, 0) + posting.quantity
    return {key: quantity for key, quantity in net.items() if quantity}


def reverse_postings(
    postings: Iterable[Posting], return_accounts: Mapping[tuple[UUID, UUID], UUID]
) -> tuple[Posting, ...]:
    """The movements that undo these, last first; what had come home already stays there.

    Args:
        postings: the movements of the entry to undo.
        return_accounts: for (account, instrument) the account to which what comes back is credited
            instead; what a closed case had blocked must not be blocked again.

    """
    back = [
        (posting, return_accounts.get((posting.source, posting.instrument), posting.source))
        for posting in reversed(tuple(postings))
    ]
    return tuple(
        Posting(posting.target, target, posting.instrument, posting.quantity)
        for posting, target in back
        if posting.target != target
    )


@dataclass(frozen=True, slots=True)
class Right:
    """The attributes that an emission right keeps through every transfer.

    Two rights that agree in all of it are one instrument.
    """

    pollutant: str  # Its code, ``SO2``.
    origin: str  # Division code of the area whose total the right was taken from.
    acquisition: Acquisition  # Paid for or free.
    # A word of ``Basin``; of water only, and None where no source says.
    basin: str | None = None
    valid_from: date | None = None  # First day in force; None until trial production begins.
    valid_until: date | None = None  # Last day in force; None while the first is unknown.
    demo: bool = False  # Demonstration data, kept apart from official rights.

    @property
    def code(self) -> str:
        """The readable name, with the days that are known: ``SO2-130200-PAID-20270606``."""
        first = self.valid_from and f"{self.valid_from:%Y%m%d}"
        last = f"{self.valid_until:%Y%m%d}" if self.valid_until else "OPEN"
        basin = self.basin and self.basin.upper()
        demo = "DEMO" if self.demo else None
        parts = (self.pollutant, self.origin, basin, self.acquisition.value, first, last, demo)
        return "-".join(part for part in parts if part)


def check_basin(medium: str, basin: str | None) -> None:
    """Refuse a basin for what goes into the air, and one that is none of the province's.

    Rule: 河北省排污权跨区域流转和交易管理暂行办法 (water moves within its basin).

    """
    if medium == "air" and basin is not None:
        raise Malformed(
            "basin", "A right to discharge into the air has no basin.", "大气污染物不分流域。"
        )
    if basin is not None and basin not in tuple(Basin):
        raise Malformed("basin", "There is no such basin.", "流域不存在。")


def last_day(first: date, years: int) -> date:
    """The last day of a right that runs for whole years: the day before the day that corresponds.

    Args:
        first: first day in force, which counts.
        years: parameter ``validity_years``, at least 1.

    Rule: 财税〔2015〕61号 art. 12 (five years).

    """
    year = first.year + years
    try:
        return first.replace(year=year) - timedelta(days=1)
    except ValueError:  # 29 February of a year that has none.
        return date(year, 2, 28)
