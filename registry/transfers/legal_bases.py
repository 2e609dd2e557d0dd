"""The texts of the findings on a transfer, and how a parameter is cited."""

import csv
from datetime import date
from pathlib import Path

from policies.vocabulary import Text
from registry.kernel.errors import Condition
from registry.kernel.legal_bases import PARAMETERS
from registry.kernel.quantities import UNITS_ZH
from registry.kernel.words import chinese_day
from registry.reference.parameters import Parameter, parameter_title

with Path(__file__).with_name("condition_texts.csv").open(encoding="utf-8") as _file:
    _TEXTS = {(row["condition"], row["outcome"]): row for row in csv.DictReader(_file)}


def finding(
    name: str, legal_basis: Text, source: Text, outcome: str = "", *, met: bool, **values: object
) -> Condition:
    """The condition with the text of its outcome, by default ``met`` or ``unmet``."""
    text = _TEXTS[name, outcome or ("met" if met else "unmet")]
    en, zh = (
        {
            word: value[language] if isinstance(value, Text) else value
            for word, value in values.items()
        }
        for language in (0, 1)
    )
    message = Text(text["en"].format(**en), text["zh"].format(**zh))
    return Condition(name, met, message, legal_basis, source)


def unit_text(unit: str) -> Text:
    """The unit of an instrument."""
    return Text(unit, UNITS_ZH[unit])


def unknown_parameter_condition(name: str, parameter: str, on: date) -> Condition:
    """The condition that cannot be met, since the regulation's figure is not known on the day."""
    title = parameter_title(parameter)
    message = Text(
        f"No figure of the regulation is known on {on} for: {title.en}.",
        f"未查得{chinese_day(on)}有效的{title.zh}规定。",
    )
    return Condition(name, met=False, message=message, legal_basis=title, source=PARAMETERS)


def cite_parameter(parameter: Parameter) -> Text:
    """The parameter and its source; demonstration data are marked."""
    title = parameter_title(parameter.name)
    demo = Text(" (demonstration data)", "（演示数据）") if parameter.demo else Text("", "")
    return Text(f"{title.en}, {parameter.source}{demo.en}", f"{title.zh}{demo.zh}")
