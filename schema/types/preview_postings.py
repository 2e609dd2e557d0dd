"""The movements of a preview: types without lists, for they are read while locks are held."""

from typing import ClassVar

import strawberry

from registry.kernel.quantities import Quantity
from registry.ledger.rules import AccountKind
from registry.reading.projections import ColumnExpr, RelatedColumn, ToOne, column_expr
from schema.framework.fields import column, projected_field
from schema.types.accounts import Instrument

_INSTRUMENT = ToOne("{t}.instrument", target_type="Instrument")
_HOLDER = ToOne("{t}.organisation_id", target_type="Organisation")


@strawberry.type(description="An account that a preview moves something from or to 拟记账账户.")
class PreviewAccount:
    """The account and its holder; the account itself may be hidden from the viewer."""

    TABLE: ClassVar = "account"

    id: strawberry.ID = projected_field(
        "Opaque identifier of the account 账户标识.", ColumnExpr("{t}.id", id_kind="Account")
    )
    kind: AccountKind = column("The purpose of the account 账户类别.")
    organisation_name: str | None = projected_field(
        "The name of its holder; null where it has none 所属单位名称.",
        RelatedColumn(_HOLDER, column_expr("name")),
    )


@strawberry.type(description="A movement between two accounts that would be posted 拟记账分录.")
class PreviewPosting:
    """One posting that the command would make."""

    source: PreviewAccount = projected_field(
        "The account that gives 转出账户.", ToOne("{t}.source")
    )
    target: PreviewAccount = projected_field(
        "The account that receives 转入账户.", ToOne("{t}.target")
    )
    instrument: Instrument = projected_field("The instrument that is moved 标的.", _INSTRUMENT)
    quantity: Quantity = projected_field(
        "The amount, in the instrument's unit 数量.",
        ColumnExpr("{t}.quantity", scale="{j}.scale", via=_INSTRUMENT),
    )
