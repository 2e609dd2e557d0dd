"""Random queries of every viewer: plans answer as the oracle does."""

import random

import hypothesis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.reading.argument_generator import ArgumentGenerator
from tests.reading.execution_paths import ExecutionPaths, assert_same_answers
from tests.reading.query_generator import QueryGenerator
from tests.reading.world import QueryWorld, restrict_viewer, world_of

EXAMPLES = hypothesis.settings().max_examples * 2
"""Each is asked four times, by three viewers, at three doors, in each of two worlds."""


@pytest.fixture
async def world(execution_paths: ExecutionPaths) -> QueryWorld:
    assert execution_paths.schema.planner is not None
    return await world_of(execution_paths.schema.planner.catalog)


@pytest.mark.timeout(3600)
# True chance writes broader documents than hypothesis's own, which is fond of small ones.
@given(chance=st.randoms(use_true_random=True))
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
async def test_every_execution_path_gives_the_same_answer(
    execution_paths: ExecutionPaths, world: QueryWorld, chance: random.Random
) -> None:
    asked = QueryGenerator(
        execution_paths.schema._schema, ArgumentGenerator(world.existing, chance)
    ).generate()
    who, other = chance.choice(world.viewers), chance.choice(world.viewers)
    against = restrict_viewer(who, chance)
    # The same document for all viewers and variables: no plan may serve for another.
    first, second = asked.variables
    for viewer, sent in ((who, first), (against, second), (other, first), (who, second)):
        await assert_same_answers(execution_paths, viewer, asked.document, sent)
