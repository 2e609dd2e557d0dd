"""On what the conditions of a transfer rest, and what is said where a figure is not known."""

from datetime import date

from policies.vocabulary import Text
from registry.kernel.errors import Condition
from registry.reference.parameters import Parameter

PLATFORM_RULES = "河北省排污权市场交易细则"
NATIONAL_OPINION = "国办发〔2014〕38号 item 9 (第九项)"
CROSS_REGION = "河北省排污权跨区域流转和交易管理暂行办法"
TRADING_MEASURES = "河北省排污权市场交易管理暂行办法"


def unknown_parameter_condition(name: str, parameter: str, on: date) -> Condition:
    """The condition that cannot be met, since the regulation's figure is not known on the day."""
    return Condition(
        name,
        met=False,
        message=Text(
            f"No figure of the regulation is known for parameter {parameter} on {on}.",
            f"参数{parameter}在{on}没有已知的法定数值。",
        ),
        legal_basis=f"parameter {parameter}",
        source="parameter",
    )


def cite_parameter(parameter: Parameter) -> str:
    """The parameter and its source; demonstration data are marked."""
    demo = " (demonstration data)" if parameter.demo else ""
    return f"parameter {parameter.name}: {parameter.source}{demo}"
