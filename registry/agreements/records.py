"""Agreements, their parties and their milestones as rows."""

from datetime import date, datetime
from uuid import UUID

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField

from registry.db.record import GovernedRecord, Record


class Agreement(GovernedRecord):
    """A cooperation agreement (合作协议); ``parties`` and ``signed`` repeat its rows of parties."""

    kind = fields.TextField()
    title = fields.TextField()
    topics: ArrayField = ArrayField(element_type="text")
    visibility = fields.TextField()
    state = fields.TextField()
    event = fields.TextField(default="")
    valid_from: date | None = fields.DateField(null=True)
    valid_until: date | None = fields.DateField(null=True)
    parties: ArrayField = ArrayField(element_type="uuid")
    signed: ArrayField = ArrayField(element_type="uuid")
    drafted_by = fields.UUIDField()
    reason = fields.TextField(default="")
    source = fields.TextField(default="")
    drafted_at = fields.DatetimeField()


class AgreementParty(Record):
    """A party (签约方), and who signed for it."""

    agreement_id = fields.UUIDField()
    organisation_id = fields.UUIDField()
    position = fields.SmallIntField()
    capacity = fields.TextField()
    signed_at: datetime | None = fields.DatetimeField(null=True)
    signed_by: UUID | None = fields.UUIDField(null=True)
    audit_entry_id: UUID | None = fields.UUIDField(null=True)


class Milestone(Record):
    """A milestone (阶段性任务): what is to be reached, and what shows that it was."""

    agreement_id = fields.UUIDField()
    position = fields.SmallIntField()
    title = fields.TextField()
    due_on: date | None = fields.DateField(null=True)
    state = fields.TextField()
    reached_on: date | None = fields.DateField(null=True)
    note = fields.TextField(default="")
    sha256: str | None = fields.TextField(null=True)
    links: fields.JSONField[list[dict[str, str]]] = fields.JSONField()
    planned_at = fields.DatetimeField()
    changed_at = fields.DatetimeField()
