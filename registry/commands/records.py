"""The log of acts, as records. Append-only in the database."""

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField

from registry.db.record import Record


class AuditEntry(Record):
    """One write: who, in which capacity, did what, under which rule of which edition."""

    at = fields.DatetimeField()
    operation = fields.TextField()
    kind = fields.TextField()
    verb = fields.TextField()
    object_id = fields.UUIDField()
    role = fields.TextField()
    person_id = fields.UUIDField(null=True)
    appointment_id = fields.UUIDField(null=True)
    organisation_id = fields.UUIDField(null=True)
    client = fields.TextField()
    edition = fields.IntField()
    rule = fields.TextField()
    facts: ArrayField = ArrayField(element_type="text")
    key = fields.TextField()
    state_before = fields.TextField(null=True)
    state_after = fields.TextField(null=True)
    input: fields.JSONField[object] = fields.JSONField()
