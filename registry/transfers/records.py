"""Transfers, what was said and found on their way, and the certificates of the settled ones."""

from datetime import date

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField

from registry.db.record import GovernedRecord, Record
from registry.transfers.rules import NEVER


class Transfer(GovernedRecord):
    """A sale of rights from one enterprise to another at a price they agreed.

    Cities and counties of both sides are those of the day it was drafted: they decide who is
    competent, and a case does not change its authority on the way.
    """

    case_number = fields.TextField(default="")  # Given by the database.
    seller_id = fields.UUIDField()
    seller_city = fields.TextField()
    seller_county = fields.TextField()
    buyer_id = fields.UUIDField()
    buyer_city = fields.TextField()
    buyer_county = fields.TextField()
    instrument_id = fields.UUIDField()
    quantity = fields.BigIntField()  # Base units of the instrument.
    price_fen = fields.BigIntField()  # For one unit, a tonne or a kilogram.
    sum_fen = fields.BigIntField()
    note = fields.TextField(default="")
    announced_on: date | None = fields.DateField(null=True)
    announcement = fields.TextField(default="")
    regime = fields.TextField()
    state = fields.TextField()
    deadline_at = fields.DatetimeField()
    offered_at = fields.DatetimeField(default=NEVER)  # When the offer reached the buyer.
    awaiting = fields.TextField(default="")
    accept_by: date | None = fields.DateField(null=True)
    seller_opinion = fields.TextField(default="")
    buyer_opinion = fields.TextField(default="")
    contract_number = fields.TextField(default="")
    bank_reference = fields.TextField(default="")
    number = fields.TextField(default="")
    reason = fields.TextField(default="")
    in_default = fields.TextField(default="")
    submitted_by = fields.UUIDField()
    submitting_organisation = fields.UUIDField()
    signatories: ArrayField = ArrayField(element_type="uuid")
    # For which body each of them first signatories, in the same order.
    signed_for: ArrayField = ArrayField(element_type="uuid")
    drafted_at = fields.DatetimeField()

    @property
    def is_cross_city(self) -> bool:
        """Whether seller and buyer are in different cities."""
        return bool(self.seller_city != self.buyer_city)


class TransferOpinion(Record):
    """The opinion of one of the two cities on a transfer across its border, with reasons."""

    transfer_id = fields.UUIDField()
    city = fields.TextField()
    favourable = fields.BooleanField()
    reasons = fields.TextField()
    audit_entry_id = fields.UUIDField()
    given_at = fields.DatetimeField()


class TransferComment(Record):
    """A remark of a county; it is not binding."""

    transfer_id = fields.UUIDField()
    county = fields.TextField()
    text = fields.TextField()
    audit_entry_id = fields.UUIDField()
    given_at = fields.DatetimeField()


class EligibilityFinding(Record):
    """One condition as the centre found it when it decided eligibility."""

    transfer_id = fields.UUIDField()
    name = fields.TextField()
    met = fields.BooleanField()
    message_en = fields.TextField()
    message_zh = fields.TextField()
    legal_basis = fields.TextField()
    source = fields.TextField()
    evaluated_on = fields.DateField()
    audit_entry_id = fields.UUIDField()


class Certificate(Record):
    """The attestation (交易鉴证书) of a performed transfer; void where its entry was reversed."""

    number = fields.TextField()
    transfer_id = fields.UUIDField()
    entry_id = fields.UUIDField()
    issued_at = fields.DatetimeField()
    seller_id = fields.UUIDField()
    buyer_id = fields.UUIDField()
    pollutant = fields.TextField()
    quantity = fields.BigIntField()
    demo = fields.BooleanField(default=False)
