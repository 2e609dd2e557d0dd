"""What belongs to transfers and certificates, many at a time. The caller has checked who asks."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from registry.db.session import fetch_all
from registry.transfers.records import (
    Certificate,
    EligibilityFinding,
    TransferComment,
    TransferOpinion,
)

OpinionOrComment = TypeVar("OpinionOrComment", TransferOpinion, TransferComment, EligibilityFinding)


async def opinions_of(transfers: Sequence[UUID]) -> dict[UUID, list[TransferOpinion]]:
    """The opinions of the two cities, in the order in which they were given."""
    return _group_by_transfer(
        await TransferOpinion.filter(transfer_id__in=list(transfers)).order_by("given_at", "id")
    )


async def comments_of(transfers: Sequence[UUID]) -> dict[UUID, list[TransferComment]]:
    """What counties remarked, oldest first."""
    return _group_by_transfer(
        await TransferComment.filter(transfer_id__in=list(transfers)).order_by("given_at", "id")
    )


async def findings_of(transfers: Sequence[UUID]) -> dict[UUID, list[EligibilityFinding]]:
    """What the centre found when it decided eligibility, by name."""
    return _group_by_transfer(
        await EligibilityFinding.filter(transfer_id__in=list(transfers)).order_by("name")
    )


def _group_by_transfer(found: Sequence[OpinionOrComment]) -> dict[UUID, list[OpinionOrComment]]:
    groups: defaultdict[UUID, list[OpinionOrComment]] = defaultdict(list)
    for each in found:
        groups[each.transfer_id].append(each)
    return groups


async def certificates_of(transfers: Sequence[UUID]) -> dict[UUID, UUID]:
    """The identifier of each settled transfer's certificate."""
    found = await Certificate.filter(transfer_id__in=list(transfers))
    return {certificate.transfer_id: certificate.id for certificate in found}


async def find_certificate(number: str) -> UUID | None:
    """The identifier of the certificate with an attestation number, or None."""
    found = await Certificate.get_or_none(number=number)
    return found.id if found else None


_REVOKED = """
    SELECT c.id, r.recorded_at
    FROM certificate c JOIN entry r ON r.reverses = c.entry_id
    WHERE c.id = ANY($1::uuid[])
"""


async def revocations_of(certificates: Sequence[UUID]) -> dict[UUID, datetime]:
    """Since when each certificate is void, for those whose settlement was reversed."""
    found = await fetch_all(_REVOKED, list(certificates))
    return {revoked["id"]: revoked["recorded_at"] for revoked in found}
