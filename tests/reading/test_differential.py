"""Whatever is asked, and whoever asks: plans answer as plain resolvers do, or leave it to them."""

import random

import hypothesis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.reading.argument_generator import Sender
from tests.reading.execution_paths import Doors, assert_alike
from tests.reading.query_generator import Asker
from tests.reading.world import World, barred, world_of

EXAMPLES = hypothesis.settings().max_examples * 2
"""Each is asked four times, by three viewers, at three doors, in each of two worlds."""


@pytest.fixture
async def world(doors: Doors) -> World:
    assert doors.schema.planner is not None
    return await world_of(doors.schema.planner.catalogue)


@pytest.mark.timeout(3600)
# True chance writes broader documents than hypothesis's own, which is fond of small ones.
@given(chance=st.randoms(use_true_random=True))
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
async def test_every_door_answers_alike(doors: Doors, world: World, chance: random.Random) -> None:
    asked = Asker(doors.schema._schema, Sender(world.known, chance)).asked()
    who, other = chance.choice(world.people), chance.choice(world.people)
    against = barred(who, chance)
    # The same document: whoever asks and whatever is sent, one plan must not serve for another.
    first, second = asked.variables
    for viewer, sent in ((who, first), (against, second), (other, first), (who, second)):
        await assert_alike(doors, viewer, asked.document, sent)
