"""Whatever is asked, and whoever asks: plans answer as plain resolvers do, or leave it to them."""

from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.viewer import Viewer
from tests.reading.asking import Asked, Asker
from tests.reading.doors import Doors
from tests.reading.sending import Known, Sender
from tests.reading.world import barred, known, viewers


@pytest.fixture
async def people(doors: Doors) -> list[Viewer]:
    return await viewers()


@pytest.fixture
async def there(doors: Doors) -> Known:
    assert doors.schema.planner is not None
    return await known(doors.schema.planner.catalogue)


@given(chance=st.randoms(use_true_random=False))
@settings(hypothesis.settings(), suppress_health_check=list(HealthCheck))
async def test_every_door_answers_alike(
    doors: Doors, people: list[Viewer], there: Known, chance: Any
) -> None:
    asked = Asker(doors.schema._schema, Sender(there, chance)).asked()
    who = chance.choice(people)
    # The same document: whoever asks and whatever is sent, one plan must not serve for another.
    for viewer in (who, chance.choice(people), barred(who, chance)):
        for sent in asked.variables:
            await assert_alike(doors, viewer, asked, sent)


async def assert_alike(doors: Doors, viewer: Viewer, asked: Asked, sent: dict[str, Any]) -> None:
    """Every door answers as the resolvers do."""
    told = f"{viewer}\n{asked.document}\n{sent}"
    admitted = doors.schema.admissions.admit(asked.document, None)
    assert not admitted.errors, f"{admitted.errors}\n{told}"
    resolved = await doors.resolved(viewer, asked.document, sent)
    executed = await doors.executed(viewer, asked.document, sent)
    assert executed == resolved, told
    planned = await doors.planned(viewer, asked.document, sent)
    if planned is not None:
        assert not resolved.errors, f"{resolved.errors}\n{told}"
        assert planned == resolved.data, told
