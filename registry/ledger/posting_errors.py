"""The refusals that the states of ``post_entry`` mean."""

from collections.abc import Mapping
from typing import Any

from policies.vocabulary import Text
from registry.db.errors import SqlstateErrors
from registry.kernel.errors import Frozen, Insufficient, NotFound, NotInForce
from registry.kernel.legal_bases import NATIONAL_OPINION, PROPERTY_PRESERVATION
from registry.kernel.quantities import UNITS_ZH, format_quantity
from registry.kernel.words import chinese_day
from registry.ledger.rules import AccountKind, FreezeTarget
from registry.reference.parameters import parameter_title


def _holder_text(detail: Mapping[str, Any]) -> Text:
    """Whose which account, as a refusal names it."""
    kind = AccountKind(detail["kind"])
    if detail.get("organisation") is None:
        return Text(f"The {kind} account", kind.text.zh)
    return Text(f"The {kind} account of {detail['name_en']}", f"{detail['name']}的{kind.text.zh}")


def _insufficient_balance(detail: Mapping[str, Any]) -> Insufficient:
    holder = _holder_text(detail)
    scale, unit = int(detail["scale"]), detail["unit"]
    holds, lacks = (format_quantity(int(detail[figure]), scale) for figure in ("holds", "lacks"))
    return Insufficient(
        Text(
            f"{holder.en} holds {holds} {unit} of {detail['instrument']};"
            f" {lacks} {unit} more would be needed.",
            f"{holder.zh}可用量为{holds}{UNITS_ZH[unit]}，不足{lacks}{UNITS_ZH[unit]}。",
        ),
        field="money" if unit == "yuan" else "quantity",
    )


def _frozen_position(detail: Mapping[str, Any]) -> Frozen:
    holder = _holder_text(detail)
    return Frozen(
        Text(
            f"{holder.en} is frozen ({detail['target']}): {detail['reason']}",
            f"{holder.zh}（{FreezeTarget(detail['target']).text.zh}）已被冻结：{detail['reason']}",
        ),
        legal_basis=PROPERTY_PRESERVATION,
    )


def _right_not_in_force(detail: Mapping[str, Any]) -> NotInForce:
    return NotInForce(
        Text(
            f"The right {detail['instrument']} is in force from {detail['valid_from']} on.",
            f"该项排污权自{chinese_day(detail['valid_from'])}起有效。",
        )
        if detail["ahead"]
        else Text(
            f"The right {detail['instrument']} was in force until {detail['valid_until']}.",
            f"该项排污权有效期至{chinese_day(detail['valid_until'])}。",
        ),
        legal_basis=parameter_title("validity_years"),
    )


def _cap_exceeded(detail: Mapping[str, Any]) -> Insufficient:
    scale, unit = int(detail["scale"]), detail["unit"]
    holds, cap = (format_quantity(int(detail[figure]), scale) for figure in ("holds", "cap"))
    return Insufficient(
        Text(
            f"{detail['city_en']} would hold {holds} {unit} of {detail['pollutant_en']},"
            f" above its cap of {cap} {unit}.",
            f"{detail['city']}的{detail['pollutant']}持有量将为{holds}{UNITS_ZH[unit]}，"
            f"超过总量上限{cap}{UNITS_ZH[unit]}。",
        ),
        field="quantity",
        legal_basis=NATIONAL_OPINION,
    )


SQLSTATE_ERRORS: SqlstateErrors = {
    "BD001": _insufficient_balance,
    "BD002": _frozen_position,
    "BD003": _right_not_in_force,
    "BD004": lambda _: NotFound("account"),
    "BD005": _cap_exceeded,
}
