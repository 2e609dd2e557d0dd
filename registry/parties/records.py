"""Organisations, people, appointments, sanctions and client programs as rows."""

from datetime import datetime
from uuid import UUID

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField

from registry.db.record import GovernedRecord


class Organisation(GovernedRecord):
    """An organisation (单位). The database adds its side of the market."""

    kind = fields.TextField()
    name = fields.TextField()
    name_en: str | None = fields.TextField(null=True)
    credit_code: str | None = fields.TextField(null=True)
    division = fields.TextField()
    city = fields.TextField()
    county = fields.TextField(default="")
    source_category: str | None = fields.TextField(null=True)
    industry: str | None = fields.TextField(null=True)
    thermal_power = fields.BooleanField(null=True)
    installed_mw: int | None = fields.IntField(null=True)
    two_representatives = fields.BooleanField(default=False)
    state = fields.TextField()
    source = fields.TextField(default="")
    registered_at = fields.DatetimeField()


class Person(GovernedRecord):
    """A natural person (人员), by subject at sign-in; on one side of the market."""

    subject = fields.TextField()
    name = fields.TextField()
    organisation_id = fields.UUIDField()
    side = fields.TextField()
    appointed_externally = fields.BooleanField()


class Appointment(GovernedRecord):
    """A post (岗位授权): a person acts for an organisation in a role and division, within dates."""

    person_id = fields.UUIDField()
    side = fields.TextField()
    organisation_id = fields.UUIDField()
    role = fields.TextField()
    division = fields.TextField()
    may_initiate = fields.BooleanField()
    may_approve = fields.BooleanField()
    valid_from = fields.DatetimeField()
    valid_until: datetime | None = fields.DatetimeField(null=True)
    appointed_externally = fields.BooleanField()
    state = fields.TextField()
    ended_at: datetime | None = fields.DatetimeField(null=True)
    submitted_by = fields.UUIDField()
    submitting_organisation = fields.UUIDField()
    signatories: list[UUID] = ArrayField(element_type="uuid")


class Sanction(GovernedRecord):
    """A measure that bars an organisation from new business (限制交易情形) while it lasts."""

    organisation_id = fields.UUIDField()
    city = fields.TextField()
    county = fields.TextField()
    kind = fields.TextField()
    reason = fields.TextField()
    source = fields.TextField()
    starts_at = fields.DatetimeField()
    ends_at: datetime | None = fields.DatetimeField(null=True)
    state = fields.TextField()
    submitted_by = fields.UUIDField()
    submitting_organisation = fields.UUIDField()
    lifted_at: datetime | None = fields.DatetimeField(null=True)
    lifted_reason: str | None = fields.TextField(null=True)


class Client(GovernedRecord):
    """A program that sends requests (接入应用); a first-party client is bound by no scopes."""

    name = fields.TextField()
    organisation_id = fields.UUIDField()
    first_party = fields.BooleanField(default=False)
    scopes: list[str] = ArrayField(element_type="text")
    persisted_queries_only = fields.BooleanField(default=False)
    state = fields.TextField()
