"""Confirmed figures as rows."""

from tortoise import fields

from registry.db.record import GovernedRecord


class ParameterConfirmation(GovernedRecord):
    """A figure that the province confirmed, with the document that sets it (制度参数确认)."""

    parameter_id = fields.UUIDField()
    value = fields.TextField()
    document_number = fields.TextField()
    source = fields.TextField()
