"""The ledger's objects as rows. Balances and postings are read by SQL alone."""

from datetime import date, datetime
from uuid import UUID

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model


class Instrument(Model):
    """An instrument (权利品种); never changed. One ``unit`` is ``10 ** scale`` base units."""

    id = fields.UUIDField(primary_key=True)
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

    class Meta:
        table = "instrument"


class Account(Model):
    """A place that holds instruments. ``city`` and ``county`` are kept by the database."""

    id = fields.UUIDField(primary_key=True)
    organisation_id: UUID | None = fields.UUIDField(null=True)
    kind = fields.TextField()
    issuer = fields.BooleanField(default=False)
    city = fields.TextField(default="")
    county = fields.TextField(default="")

    class Meta:
        table = "account"


class Entry(Model):
    """One event in the journal. ``recorded_at`` never runs backwards; ``effective_at`` may."""

    id = fields.UUIDField(primary_key=True)
    audit_entry_id = fields.UUIDField()
    kind = fields.TextField()
    recorded_at = fields.DatetimeField()
    effective_at = fields.DatetimeField()
    reverses: UUID | None = fields.UUIDField(null=True)
    note = fields.TextField(default="")
    source: str | None = fields.TextField(null=True)
    demo = fields.BooleanField(default=False)

    class Meta:
        table = "entry"


class Freeze(Model):
    """An order that nothing leaves an organisation, an account or a position."""

    id = fields.UUIDField(primary_key=True)
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
    demo = fields.BooleanField(default=False)
    changed_at = fields.DatetimeField()

    class Meta:
        table = "freeze_order"


class Reversal(Model):
    """A proposal to undo an entry, decided by a second officer.

    ``parties`` are the holders of the accounts the entry touched.
    """

    id = fields.UUIDField(primary_key=True)
    entry_id = fields.UUIDField()
    state = fields.TextField()
    reason = fields.TextField()
    decision = fields.TextField(default="")
    reversing_entry_id: UUID | None = fields.UUIDField(null=True)
    parties: ArrayField = ArrayField(element_type="uuid")
    submitted_by = fields.UUIDField()
    submitting_organisation = fields.UUIDField()
    signatories: ArrayField = ArrayField(element_type="uuid")
    demo = fields.BooleanField(default=False)
    changed_at = fields.DatetimeField()

    class Meta:
        table = "reversal"
