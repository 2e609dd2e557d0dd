from registry.permits.facts import ASSESSMENT, CONSTRUCTION_PROJECT, PERMIT
from registry.permits.operations import revoke_permit
from tests.permits.builders import (
    a_permit,
    a_project,
    a_province_officer,
    an_assessment,
    an_emitter,
    do,
)
from tests.support.builders import (
    LANGFANG,
    TANGSHAN,
    an_officer,
    an_officer_of,
    somebody,
    viewer_of,
)
from tests.support.projection_checks import assert_faces_agree


async def test_both_faces_of_every_fact_agree() -> None:
    province, emitter, other = await a_province_officer(), await an_emitter(1), await an_emitter(2)
    revoked = await a_permit(province, emitter)
    await a_permit(province, other)
    await do(province, revoke_permit, id=revoked.id, reason="closed down")
    await a_project(province, emitter.id, division="131022")
    await a_project(province, other.id, division=TANGSHAN)
    await an_assessment(province)

    viewers = [
        viewer_of(await an_officer(emitter)),
        viewer_of(await an_officer_of("city", city=TANGSHAN)),
        viewer_of(await an_officer_of("county", city=LANGFANG, county="131022")),
        viewer_of(province),
        somebody("city"),
        somebody("public"),
    ]
    for kind in (PERMIT, CONSTRUCTION_PROJECT, ASSESSMENT):
        await assert_faces_agree(kind, viewers)
