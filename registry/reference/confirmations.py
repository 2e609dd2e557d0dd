"""The verb by which the province confirms a figure of the regulation."""

from datetime import date
from typing import Annotated
from uuid import uuid4

from registry.commands.operation import CommandContext, operation
from registry.db.session import fetch_one
from registry.kernel.errors import Malformed
from registry.kernel.identifiers import SOURCE_LENGTH_MAX, check_text
from registry.kernel.parameters import Parameter, Source
from registry.reference.facts import PARAMETER_CONFIRMATION
from registry.reference.records import ParameterConfirmation

DOCUMENT_NUMBER_LENGTH_MAX = 100

_FIND = """
    SELECT id, value FROM parameter
    WHERE name = $1 AND area = $2 AND pollutant = $3 AND effective_from = $4
"""


async def _build_confirmation(  # noqa: PLR0913 - what a confirmation says
    context: CommandContext,
    *,
    name: Annotated[str, Parameter("The name of the figure 参数名称.")],
    effective_from: Annotated[date, Parameter("Its first day in force 生效日期.")],
    value: Annotated[str, Parameter("The figure as the document gives it 参数值.")],
    document_number: Annotated[
        str, Parameter("The document that sets it, 1 to 100 characters 文号.")
    ],
    source: Source,
    area: Annotated[
        str,
        Parameter("Code of its division; empty for all 适用区域代码.", codes="Division"),
    ] = "",
    pollutant: Annotated[
        str,
        Parameter("Code of its pollutant; empty for all 适用污染物代码.", codes="Pollutant"),
    ] = "",
) -> ParameterConfirmation:
    found = await fetch_one(_FIND, name, area, pollutant, effective_from)
    if found is None:
        raise Malformed(
            "name",
            f"No figure {name} that begins on {effective_from} is on record.",
            f"未登记自{effective_from:%Y年%-m月%-d日}起生效的该项制度参数。",
        )
    if found["value"] != value:
        raise Malformed(
            "value",
            "The figure on record is another; correct the reference data first.",
            "与已登记的参数值不一致，请先更正基础数据。",
        )
    return ParameterConfirmation(
        id=uuid4(),
        parameter_id=found["id"],
        value=value,
        document_number=check_text(
            document_number,
            "documentNumber",
            max_length=DOCUMENT_NUMBER_LENGTH_MAX,
            multiline=False,
        ),
        source=check_text(source, "source", max_length=SOURCE_LENGTH_MAX),
        changed_at=context.now,
    )


@operation(PARAMETER_CONFIRMATION, "confirm", build=_build_confirmation)
async def confirm_parameter(
    _context: CommandContext, confirmation: ParameterConfirmation, /, **_said: object
) -> ParameterConfirmation:
    """Confirm a figure of the regulation with its document.

    Until then a figure marked as demonstration decides nothing in production. Where the reference
    data change its value later, it is unconfirmed again.

    Raises:
        Malformed: no such figure, or one of another value.
        Duplicate: the figure is confirmed already.

    """
    return confirmation
