"""The kind of confirmations of figures; rules test no fact of theirs."""

from registry.access.kinds import Kind
from registry.reference.records import ParameterConfirmation

PARAMETER_CONFIRMATION = Kind(name="ParameterConfirmation", record=ParameterConfirmation, facts={})
