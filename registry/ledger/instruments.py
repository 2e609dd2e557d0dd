"""Instruments, read."""

from collections.abc import Iterable
from uuid import UUID

from registry.kernel.errors import NotFound
from registry.ledger.records import Instrument


async def instruments_of(ids: Iterable[UUID]) -> dict[UUID, Instrument]:
    """Instruments by their identifiers; anybody may know them."""
    return {found.id: found for found in await Instrument.filter(id__in=list(set(ids)))}


async def instrument_of(id: UUID, *, field: str = "instrument") -> Instrument:
    """One instrument.

    Raises:
        NotFound: there is no such instrument; names ``field``.

    """
    found = await Instrument.get_or_none(id=id)
    if found is None:
        raise NotFound(field)
    return found
