"""The reference data of the test's database, as a command would read it now."""

from registry.access.epoch import read_access_snapshot
from registry.reference.cache import ReferenceData, load_reference


async def current_reference() -> ReferenceData:
    """The version of now, cached where it is known."""
    return await load_reference((await read_access_snapshot()).reference_version)
