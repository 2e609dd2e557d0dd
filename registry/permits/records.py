"""Permits, projects and assessments as rows."""

from datetime import date, datetime

from tortoise import fields

from registry.db.record import GovernedRecord, Record


class Permit(GovernedRecord):
    """A discharge permit (排污许可证); the database keeps the place, which is its holder's."""

    number = fields.TextField()
    organisation_id = fields.UUIDField()
    city = fields.TextField()
    county = fields.TextField()
    issued_by = fields.TextField()
    category = fields.TextField()
    valid_from = fields.DateField()
    valid_until = fields.DateField()
    state = fields.TextField()
    revoked_on: date | None = fields.DateField(null=True)
    ending: str | None = fields.TextField(null=True)
    revocation_reason = fields.TextField(default="")
    source = fields.TextField()
    registered_at = fields.DatetimeField()


class PermitLimit(Record):
    """The annual limit of a permit, in base units, from a day until a day, both included."""

    permit_id = fields.UUIDField()
    pollutant = fields.TextField()
    quantity = fields.BigIntField()
    effective_from = fields.DateField()
    effective_until: date | None = fields.DateField(null=True)
    source = fields.TextField()


class Outlet(Record):
    """Where a permit lets out (排放口); ``river_system`` of what goes into water."""

    permit_id = fields.UUIDField()
    code = fields.TextField()
    medium = fields.TextField()
    river_system: str | None = fields.TextField(null=True)


class ConstructionProject(GovernedRecord):
    """A construction project (建设项目). ``city`` and ``county`` are those of its own place."""

    organisation_id = fields.UUIDField()
    name = fields.TextField()
    division = fields.TextField()
    city = fields.TextField()
    county = fields.TextField()
    approval_number: str | None = fields.TextField(null=True)
    state = fields.TextField()
    strategic_industry = fields.BooleanField(null=True)
    technology_demonstration = fields.BooleanField(null=True)
    source = fields.TextField()
    registered_at = fields.DatetimeField()


class ProjectDemand(Record):
    """The annual demand of a project, in base units; None: its source does not say."""

    project_id = fields.UUIDField()
    pollutant = fields.TextField()
    quantity: int | None = fields.BigIntField(null=True)
    source = fields.TextField()
    demo = fields.BooleanField(default=False)
    assessed_at = fields.DatetimeField()
    superseded_at: datetime | None = fields.DatetimeField(null=True)


class Assessment(GovernedRecord):
    """Whether a city met in a year what opens it to rights from elsewhere (区域环境质量考核)."""

    city = fields.TextField()
    year = fields.IntField()
    medium = fields.TextField()
    quality_attained = fields.BooleanField()
    reduction_task_done = fields.BooleanField()
    improvement_target_met = fields.BooleanField()
    source = fields.TextField()

    class Meta:
        table = "environment_assessment"
