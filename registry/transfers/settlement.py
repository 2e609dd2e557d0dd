"""The centre completes: contract, payment, settlement, certificate, default; or time ran out."""

from datetime import datetime
from typing import Annotated
from uuid import uuid4

from policies.vocabulary import Text
from registry.commands.operation import CommandContext, operation
from registry.db.session import ValueStatement
from registry.db.tortoise_engine import new_record
from registry.kernel.calendar import day_of
from registry.kernel.errors import Condition, Malformed
from registry.kernel.identifiers import REASON_LENGTH_MAX, check_bank_reference, check_text
from registry.kernel.legal_bases import MARKET_RULES
from registry.kernel.parameters import Parameter, Reason
from registry.kernel.quantities import Money, format_money
from registry.ledger.rules import EntryKind
from registry.reference.parameters import parameter_title
from registry.transfers.conditions import ONGOING_CONDITIONS
from registry.transfers.eligibility_data import load_and_evaluate
from registry.transfers.facts import TRANSFER
from registry.transfers.records import Certificate, Transfer
from registry.transfers.rules import NEITHER, State, Step, TransferSide
from registry.transfers.workflow import advance_transfer

CONTRACT_NUMBER_MAX = 60
"""Most characters of a contract's number."""
_NEXT_CERTIFICATE_NUMBER = """
    INSERT INTO certificate_sequence (city, year, last) VALUES ($1, $2, 1)
    ON CONFLICT (city, year) DO UPDATE SET last = certificate_sequence.last + 1
    RETURNING format('HB-%s-%s-', city, year)
        || lpad(last::text, greatest(5, length(last::text)), '0')
"""
"""The next number in the seller's city and year. Its row is locked last, after the balances."""


@operation(TRANSFER, "contract", preconditions=(load_and_evaluate(ONGOING_CONDITIONS),))
async def contract_transfer(
    context: CommandContext,
    transfer: Transfer,
    *,
    contract_number: Annotated[str, Parameter("Its number, used once 合同编号.")],
) -> Transfer:
    """Record the signed contract; the time of payment begins.

    Raises:
        Duplicate: another case has the number.
        ConditionsUnmet: a side was sanctioned, frozen or closed meanwhile, or the right ran out.

    Rule: parameters ``contract_days``, ``payment_days``.

    """
    transfer.contract_number = check_text(
        contract_number, "contractNumber", max_length=CONTRACT_NUMBER_MAX, multiline=False
    )
    await advance_transfer(context, transfer, Step.CONTRACT)
    return transfer


async def _check_full_payment(
    _context: CommandContext, transfer: Transfer, *, money: int, **_: object
) -> list[Condition]:
    due, paid = format_money(transfer.sum_fen), format_money(money)
    return [
        Condition(
            "paid_in_full",
            money == transfer.sum_fen,
            Text(f"{due} yuan are due; {paid} were paid.", f"应付{due}元，实付{paid}元。"),
            MARKET_RULES,
            Text("bank statement", "银行回单"),
        )
    ]


@operation(TRANSFER, "record_payment", preconditions=(_check_full_payment,), posts=True)
async def record_payment(
    context: CommandContext,
    transfer: Transfer,
    *,
    money: Annotated[Money, Parameter("How much; exactly the sum due 金额.")],
    reference: Annotated[str, Parameter("The bank's reference, used once 银行流水号.")],
) -> Transfer:
    """Record the buyer's money, which lies in escrow.

    Raises:
        ConditionsUnmet: another sum than what is due.
        Duplicate: the reference is recorded already.

    Rule: nothing but recorded payments and payouts touches money outside the registry.

    """
    assert money == transfer.sum_fen, "weighed before"
    transfer.bank_reference = check_bank_reference(reference, "reference")
    await advance_transfer(context, transfer, Step.PAY, reference=transfer.bank_reference)
    return transfer


@operation(TRANSFER, "settle", posts=True)
async def settle_transfer(context: CommandContext, transfer: Transfer) -> Transfer:
    """Exchange rights and money at once, with a certificate.

    Raises:
        Frozen: what is to move is frozen.
        NotInForce: the right has run out.

    Rule: settlement of rights against money (权款结算); the certificate when all is performed.

    """
    written = await advance_transfer(context, transfer, Step.SETTLE)
    certificate = new_record(
        Certificate,
        id=uuid4(),
        number="",
        transfer_id=transfer.id,
        entry_id=written[EntryKind.SETTLEMENT],
        issued_at=context.now,
        seller_id=transfer.seller_id,
        buyer_id=transfer.buyer_id,
        pollutant="",
        quantity=transfer.quantity,
        demo=transfer.demo,
    )
    year = day_of(context.now).year
    context.run_first += [
        ValueStatement(
            _NEXT_CERTIFICATE_NUMBER,
            (transfer.seller_city, year),
            ((transfer, "number"), (certificate, "number")),
        ),
        ValueStatement(
            "SELECT pollutant FROM instrument WHERE id = $1",
            (transfer.instrument_id,),
            ((certificate, "pollutant"),),
        ),
    ]
    context.also_save.append(certificate)
    return transfer


async def _check_default(
    context: CommandContext, transfer: Transfer, *, side: str, **_: object
) -> list[Condition]:
    if side != TransferSide.BUYER:
        return []
    return [_check_payment_overdue(State(transfer.state), transfer.deadline_at, context.now)]


def _check_payment_overdue(state: State, deadline_at: datetime, now: datetime) -> Condition:
    last = day_of(deadline_at)
    return Condition(
        "payment_missing",
        state is State.CONTRACTED and now > deadline_at,
        Text("The buyer has paid.", "受让方已付款。")
        if state is State.PAID
        else Text(f"The buyer had until {last} to pay.", f"受让方付款期限为{last}。"),
        parameter_title("payment_days"),
    )


@operation(TRANSFER, "declare_default", preconditions=(_check_default,), posts=True)
async def declare_default(
    context: CommandContext,
    transfer: Transfer,
    *,
    side: Annotated[TransferSide, Parameter("The party that breaks it 违约方.")],
    reason: Reason,
) -> Transfer:
    """End a contract not kept; rights and money go home.

    Raises:
        ConditionsUnmet: the buyer has paid, or still has time to.

    Rule: a contract not kept is a default; parameter ``payment_days``.

    """
    if side not in {TransferSide.SELLER.value, TransferSide.BUYER.value}:
        raise Malformed("side", "The side is seller or buyer.", "违约方须为出让方或受让方。")
    transfer.in_default = TransferSide(side).value
    transfer.reason = check_text(reason, "reason", max_length=REASON_LENGTH_MAX)
    await advance_transfer(context, transfer, Step.DEFAULT)
    return transfer


@operation(TRANSFER, "expire", posts=True)
async def expire_transfer(context: CommandContext, transfer: Transfer) -> Transfer:
    """Record that time ran out; what was blocked comes home.

    Rule: the limit is judged as of now by everything that looks at the case; this only tidies up.

    """
    transfer.awaiting = NEITHER
    await advance_transfer(context, transfer, Step.EXPIRE)
    return transfer
