"""How a request begins: under the newest rules, at one moment, as one appointment."""

from registry.acting import load_viewer
from registry.database import row
from registry.editions import load_edition
from registry.gate import gate
from registry.viewer import Caller, Viewer

_STATE = "SELECT registry_now() AS now, (SELECT max(version) FROM rule_edition) AS edition"


async def enter(caller: Caller, *, lock: bool = False) -> Viewer:
    """The viewer for ``caller`` now; the gate holds the newest edition afterwards.

    With ``lock`` the appointment cannot end before the transaction does.

    Raises:
        AppointmentRequired: none in force, several and none named, or one of somebody else.

    """
    state = await row(_STATE)
    if state is None or state["edition"] is None:
        raise RuntimeError("the database has no edition of the rule book")
    # A reader whose snapshot is older than the gate's edition is judged by the newer one.
    if state["edition"] > gate.edition.version:
        gate.renew(await load_edition())
    return await load_viewer(caller, state["now"], lock=lock)
