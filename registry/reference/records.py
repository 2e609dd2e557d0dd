"""Reference data of the regulation and the standards. Only its loader writes them."""

from datetime import date

from tortoise import fields
from tortoise.models import Model


class SourcedModel(Model):
    """Where a row comes from, and how far it may be trusted.

    ``provenance`` is R (read in the source), R~ (read in part), A (another place's rule),
    K (general knowledge) or I (inference).
    """

    source = fields.TextField()
    source_date: date | None = fields.DateField(null=True)
    provenance = fields.TextField()
    demo = fields.BooleanField(default=False)
    needs_confirmation = fields.BooleanField(default=False)

    class Meta:
        abstract = True


class Division(SourcedModel):
    """A province, city or county (行政区划), and its city, which its prefix does not prove."""

    code = fields.CharField(6, primary_key=True)
    name_zh = fields.TextField()
    name_en = fields.TextField()
    level = fields.TextField()
    city = fields.TextField()
    effective_from: date | None = fields.DateField(null=True)
    effective_until: date | None = fields.DateField(null=True)

    class Meta:
        table = "division"


class RiverSystem(SourcedModel):
    """One of the eleven river systems (水系), and the basin it is part of."""

    code = fields.CharField(40, primary_key=True)
    name_zh = fields.TextField()
    name_en = fields.TextField()
    basin = fields.TextField()

    class Meta:
        table = "river_system"


class Pollutant(SourcedModel):
    """A regulated pollutant (主要污染物); one ``unit`` of the API is ``10 ** scale`` base units."""

    code = fields.CharField(10, primary_key=True)
    name_zh = fields.TextField()
    name_en = fields.TextField()
    medium = fields.TextField()
    national_code = fields.TextField()
    unit = fields.TextField()
    scale = fields.SmallIntField()
    status = fields.TextField()
    enabled_from: date | None = fields.DateField(null=True)

    class Meta:
        table = "pollutant"


class Industry(SourcedModel):
    """An industry (行业) of GB/T 4754, with the marks on which trading limits depend."""

    code = fields.CharField(4, primary_key=True)
    name_zh = fields.TextField()
    name_en = fields.TextField()
    source_category = fields.TextField()
    thermal_power = fields.BooleanField()
    two_high = fields.BooleanField()
    benchmark_industry = fields.BooleanField()

    class Meta:
        table = "industry"


class Holiday(SourcedModel):
    """A day off, or a weekend day worked in exchange (``make_up``)."""

    day = fields.DateField(primary_key=True)
    kind = fields.TextField()
    name_zh = fields.TextField()
    name_en = fields.TextField()

    class Meta:
        table = "holiday"


class ParameterRow(SourcedModel):
    """A figure of the regulation for an area, pollutant and period; null is an unknown figure."""

    id = fields.UUIDField(primary_key=True)
    name = fields.TextField()
    area = fields.TextField(default="")
    pollutant = fields.TextField(default="")
    effective_from = fields.DateField()
    effective_until: date | None = fields.DateField(null=True)
    value: str | None = fields.TextField(null=True)
    unit = fields.TextField()
    legal_basis = fields.TextField()

    class Meta:
        table = "parameter"
