"""The reference data of the test's database, as a command would read it now."""

from registry.db.session import fetch_one
from registry.reference.cache import ReferenceData, load_reference


async def current_reference() -> ReferenceData:
    """The version of now, cached where it is known."""
    found = await fetch_one("SELECT reference_version FROM access_epoch")
    assert found is not None
    return await load_reference(found["reference_version"])
