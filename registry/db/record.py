"""The base of every model: an object with a row, found by its id."""

import re
from typing import Any

from tortoise import fields
from tortoise.models import Model, ModelMeta

_WORD_BOUNDARY = re.compile("(?<=[a-z])(?=[A-Z])")


class _NamedByClass(ModelMeta):
    """Names tables: that of ``TransferOpinion`` is ``transfer_opinion``, where none is given."""

    def __new__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> ModelMeta:
        attrs.setdefault("Meta", type("Meta", (), {"table": _WORD_BOUNDARY.sub("_", name).lower()}))
        return super().__new__(cls, name, bases, attrs)


class Record(Model, metaclass=_NamedByClass):
    """A row with an id."""

    id = fields.UUIDField(primary_key=True)

    class Meta:
        abstract = True


class GovernedRecord(Record):
    """A row that commands change: the frame of every write keeps ``changed_at``."""

    demo = fields.BooleanField(default=False)
    changed_at = fields.DatetimeField()

    class Meta:
        abstract = True
