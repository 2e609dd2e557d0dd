"""The ledger's objects as rows. Balances and postings are read by SQL alone."""

from datetime import date, datetime
from uuid import UUID

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField

from registry.db.record import GovernedRecord, Record


class Instrument(Record):
    """An instrument (权利品种); never changed. One ``unit`` is ``10 ** scale`` base units."""

    code = fields.TextField()
    class_ = fields.TextField(source_field="class")
    pollutant: str | None = fields.TextField(null=True)
    origin_city: str | None = fields.TextField(null=True)
    basin: str | None = fields.TextField(null=True)
    acquisition: str | None = fields.TextField(null=True)
    valid_from: date | None = fields.DateField(null=True)
    valid_until: date | None = fields.DateField(null=True)
    unit = fields.TextField()
    scale = fields.SmallIntField()
    demo = fields.BooleanField(default=False)


class Account(Record):
    """A place that holds instruments. ``city`` and ``county`` are kept by the database."""

    organisation_id: UUID | None = fields.UUIDField(null=True)
    kind = fields.TextField()
    issuer = fields.BooleanField(default=False)
    city = fields.TextField(default="")
    county = fields.TextField(default="")


class Entry(Record):
    """One event in the journal. ``recorded_at`` never runs backwards; ``effective_at`` may."""

    audit_entry_id = fields.UUIDField()
    kind = fields.TextField()
    recorded_at = fields.DatetimeField()
    effective_at = fields.DatetimeField()
    reverses: UUID | None = fields.UUIDField(null=True)
    note = fields.TextField(default="")
    source: str | None = fields.TextField(null=True)
    demo = fields.BooleanField(default=False)


class Freeze(GovernedRecord):
    """An order that nothing leaves an organisation, an account or a position."""

    target = fields.TextField()
    organisation_id = fields.UUIDField()
    account_id: UUID | None = fields.UUIDField(null=True)
    instrument_id: UUID | None = fields.UUIDField(null=True)
    reason = fields.TextField()
    source = fields.TextField()
    starts_at = fields.DatetimeField()
    ends_at: datetime | None = fields.DatetimeField(null=True)
    state = fields.TextField()
    lifted_at: datetime | None = fields.DatetimeField(null=True)
    lifted_reason = fields.TextField(default="")
    city = fields.TextField()
    county = fields.TextField()
    submitted_by = fields.UUIDField()
    submitting_organisation = fields.UUIDField()

    class Meta:
        table = "freeze_order"


class Reversal(GovernedRecord):
    """A proposal to undo an entry, decided by a second officer.

    ``parties`` are the holders of the accounts the entry touched.
    """

    entry_id = fields.UUIDField()
    state = fields.TextField()
    reason = fields.TextField()
    decision = fields.TextField(default="")
    reversing_entry_id: UUID | None = fields.UUIDField(null=True)
    parties: ArrayField = ArrayField(element_type="uuid")
    submitted_by = fields.UUIDField()
    submitting_organisation = fields.UUIDField()
    signatories: ArrayField = ArrayField(element_type="uuid")
