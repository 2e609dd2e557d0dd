"""The reference data as readers ask for it: whole, short lists, which anybody may see."""

from collections.abc import Iterable

from registry.reference.records import Division, Industry, Pollutant, RiverSystem


async def list_divisions(level: str, city: str | None = None) -> list[Division]:
    """The divisions of a level, of one city where it is named, by code."""
    wanted = Division.filter(level=level)
    return await (wanted.filter(city=city) if city else wanted).order_by("code")


async def divisions_by_code(codes: Iterable[str]) -> dict[str, Division]:
    """Divisions by their codes."""
    return {found.code: found for found in await Division.filter(code__in=list(codes))}


async def list_pollutants() -> list[Pollutant]:
    """Every pollutant, by code."""
    return await Pollutant.all().order_by("code")


async def pollutants_by_code(codes: Iterable[str]) -> dict[str, Pollutant]:
    """Pollutants by their codes."""
    return {found.code: found for found in await Pollutant.filter(code__in=list(codes))}


async def list_river_systems() -> list[RiverSystem]:
    """The river systems, by code."""
    return await RiverSystem.all().order_by("code")


async def river_systems_by_code(codes: Iterable[str]) -> dict[str, RiverSystem]:
    """River systems by their codes."""
    return {found.code: found for found in await RiverSystem.filter(code__in=list(codes))}


async def list_industries() -> list[Industry]:
    """The industries, by code."""
    return await Industry.all().order_by("code")
