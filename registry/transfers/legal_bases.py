"""The legal bases of the conditions of a transfer, and the texts of their findings."""

import csv
from datetime import date
from pathlib import Path

from policies.vocabulary import Text
from registry.kernel.errors import Condition
from registry.reference.parameters import Parameter

PLATFORM_RULES = "河北省排污权市场交易细则"
NATIONAL_OPINION = "国办发〔2014〕38号 item 9 (第九项)"
CROSS_REGION = "河北省排污权跨区域流转和交易管理暂行办法"
TRADING_MEASURES = "河北省排污权市场交易管理暂行办法"


with Path(__file__).with_name("condition_texts.csv").open(encoding="utf-8") as _file:
    _TEXTS = {(row["condition"], row["outcome"]): row for row in csv.DictReader(_file)}


def finding(
    name: str, legal_basis: str, source: str, outcome: str = "", *, met: bool, **values: object
) -> Condition:
    """The condition with the text of its outcome, by default ``met`` or ``unmet``."""
    text = _TEXTS[name, outcome or ("met" if met else "unmet")]
    message = Text(text["en"].format(**values), text["zh"].format(**values))
    return Condition(name, met, message, legal_basis, source)


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
