"""The objects that show what a milestone claims: linked only by viewers who see them."""

from collections.abc import Sequence
from typing import TypedDict, cast
from uuid import UUID

from registry.access.authorizer import authorizer
from registry.access.kinds import Kind
from registry.access.principals import Viewer
from registry.agreements.facts import AGREEMENT
from registry.agreements.rules import LINKS_MAX
from registry.kernel.errors import Malformed, NotFound
from registry.parties.facts import ORGANISATION
from registry.permits.facts import CONSTRUCTION_PROJECT, PERMIT
from registry.transfers.facts import CERTIFICATE, TRANSFER

KINDS: dict[str, Kind] = {
    "organisations": ORGANISATION,
    "permits": PERMIT,
    "construction_projects": CONSTRUCTION_PROJECT,
    "transfers": TRANSFER,
    "certificates": CERTIFICATE,
    "agreements": AGREEMENT,
}
"""Kinds that may be linked, by the name of the argument that lists them."""


class LinksDraft(TypedDict, total=False):
    """The objects to be linked, by kind."""

    organisations: Sequence[UUID]
    permits: Sequence[UUID]
    construction_projects: Sequence[UUID]
    transfers: Sequence[UUID]
    certificates: Sequence[UUID]
    agreements: Sequence[UUID]


async def check_links(viewer: Viewer, draft: LinksDraft) -> list[dict[str, str]]:
    """The links as a milestone keeps them, each object once.

    Raises:
        Malformed: more than ``LINKS_MAX``.
        NotFound: one of the objects is absent, or not for this viewer.

    """
    wanted = {(name, id): kind for name, kind in KINDS.items() for id in _link_ids(draft, name)}
    if len(wanted) > LINKS_MAX:
        raise Malformed(
            "links", f"A milestone has at most {LINKS_MAX} links.", f"里程碑最多关联{LINKS_MAX}项。"
        )
    return [await _check_link(viewer, kind, id) for (name, id), kind in wanted.items()]


def _link_ids(draft: LinksDraft, name: str) -> Sequence[UUID]:
    return cast("dict[str, Sequence[UUID]]", draft).get(name) or ()


async def _check_link(viewer: Viewer, kind: Kind, id: UUID) -> dict[str, str]:
    record = await kind.record.get_or_none(id=id)
    if record is None or not authorizer.allows(viewer, kind, "view", record):
        raise NotFound("links")
    return {"kind": kind.name, "id": str(id)}
