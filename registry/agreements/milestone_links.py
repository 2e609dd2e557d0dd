"""The objects that show what a milestone claims: linked only by viewers who see them."""

from collections.abc import Sequence
from typing import Annotated, TypedDict, cast
from uuid import UUID

from registry.access.authorizer import authorizer
from registry.access.kinds import Kind
from registry.access.principals import Viewer
from registry.agreements.facts import AGREEMENT
from registry.agreements.rules import LINKS_MAX
from registry.kernel.errors import Malformed, NotFound
from registry.kernel.parameters import Parameter
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


class MilestoneLinksDraft(TypedDict, total=False):
    """Objects to be linked that you may see, at most 50 together 关联对象."""

    organisations: Annotated[
        Sequence[UUID], Parameter("Organisations 单位.", refers="Organisation")
    ]
    permits: Annotated[Sequence[UUID], Parameter("Discharge permits 排污许可证.", refers="Permit")]
    construction_projects: Annotated[
        Sequence[UUID], Parameter("Construction projects 建设项目.", refers="ConstructionProject")
    ]
    transfers: Annotated[Sequence[UUID], Parameter("Transfers 转让.", refers="Transfer")]
    certificates: Annotated[
        Sequence[UUID], Parameter("Attestation certificates 交易鉴证书.", refers="Certificate")
    ]
    agreements: Annotated[Sequence[UUID], Parameter("Agreements 合作协议.", refers="Agreement")]


async def check_links(viewer: Viewer, draft: MilestoneLinksDraft) -> list[dict[str, str]]:
    """The links as a milestone keeps them, each object once."""
    wanted = {(name, id): kind for name, kind in KINDS.items() for id in _link_ids(draft, name)}
    if len(wanted) > LINKS_MAX:
        raise Malformed(
            "links",
            f"A milestone has at most {LINKS_MAX} links.",
            f"阶段性任务最多关联{LINKS_MAX}项。",
        )
    return [await _check_link(viewer, kind, id) for (name, id), kind in wanted.items()]


def _link_ids(draft: MilestoneLinksDraft, name: str) -> Sequence[UUID]:
    return cast("dict[str, Sequence[UUID]]", draft).get(name) or ()


async def _check_link(viewer: Viewer, kind: Kind, id: UUID) -> dict[str, str]:
    record = await kind.record.get_or_none(id=id)
    if record is None or not authorizer.allows(viewer, kind, "view", record):
        raise NotFound("links")
    return {"kind": kind.name, "id": str(id)}
