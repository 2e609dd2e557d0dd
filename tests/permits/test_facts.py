from registry.permits.facts import ASSESSMENT, CONSTRUCTION_PROJECT, PERMIT
from registry.permits.operations import revoke_permit
from tests.permits.builders import (
    create_assessment,
    create_emitter,
    create_province_officer,
    execute_as,
    register_new_permit,
    register_new_project,
)
from tests.support.builders import (
    LANGFANG,
    TANGSHAN,
    build_viewer,
    create_officer,
    create_officer_of,
    viewer_of,
)
from tests.support.projection_checks import assert_predicates_agree


async def test_predicate_and_sql_of_every_fact_agree() -> None:
    province, emitter, other = (
        await create_province_officer(),
        await create_emitter(1),
        await create_emitter(2),
    )
    revoked = await register_new_permit(province, emitter)
    await register_new_permit(province, other)
    await execute_as(
        province, revoke_permit, id=revoked.id, ending="deregistered", reason="closed down"
    )
    await register_new_project(province, emitter.id, division="131022")
    await register_new_project(province, other.id, division=TANGSHAN)
    await create_assessment(province)

    viewers = [
        viewer_of(await create_officer(emitter)),
        viewer_of(await create_officer_of("city", city=TANGSHAN)),
        viewer_of(await create_officer_of("county", city=LANGFANG, county="131022")),
        viewer_of(province),
        build_viewer("city"),
        build_viewer("public"),
    ]
    for kind in (PERMIT, CONSTRUCTION_PROJECT, ASSESSMENT):
        await assert_predicates_agree(kind, viewers)
