"""The expected result of each attempt, from the truth tables alone: no mutation is sent here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID, uuid4

from graphql import GraphQLNonNull
from graphql.utilities import coerce_input_value
from strawberry.types.arguments import convert_arguments
from tortoise.models import Model

from policies.engine import Decision
from registry.access.authorizer import authorizer
from registry.access.epoch import read_access_snapshot
from registry.access.kinds import Kind
from registry.access.principals import Principal, Viewer
from registry.access.viewer_lookup import ViewerRecord
from registry.commands.operation import CommandContext, Operation
from registry.db.session import transaction
from registry.kernel.errors import Refused
from registry.parties.facts import ORGANISATION
from schema.build import GovernedSchema, _strawberry_field
from schema.framework.global_ids import to_global_id
from schema.framework.inputs import to_arguments
from tests.end_to_end.inputs import EXISTING_OBJECTS, NEW_OBJECTS, Input, NewObject, find_entry

ALLOWED, SIGN_IN = "ALLOWED", "SIGN_IN_REQUIRED"
FORBIDDEN, NOT_FOUND = "FORBIDDEN", "NOT_FOUND"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt and what must come of it.

    Attributes:
        mutation: which.
        input: without key and preview.
        expected: ``ALLOWED`` or the code of the refusal.
        rule: the prohibition that must be named, if any.
        description: which object, for the message of a test that fails.
        id_field: the field that names the object.
        absent: the object does not exist at all.

    """

    mutation: str
    input: Input
    expected: str
    rule: str = ""
    description: str = ""
    id_field: str = "id"
    absent: bool = False


class Records:
    """The records of each kind, read once."""

    def __init__(self) -> None:
        self._cache: dict[str, list[Any]] = {}

    async def of(self, kind: Kind) -> list[Any]:
        """All of them."""
        if kind.name not in self._cache:
            self._cache[kind.name] = await kind.record.all().order_by("id")
        return self._cache[kind.name]


class _Rollback(Exception):
    """Takes a transaction back."""


@asynccontextmanager
async def rolled_back() -> AsyncIterator[None]:
    """A transaction that leaves nothing behind."""
    try:
        async with transaction():
            yield
            raise _Rollback  # noqa: TRY301 - it rolls back all writes
    except _Rollback:
        pass


async def attempts_on(
    viewer: Viewer, mutation: str, operation: Operation[Any], records: Records, *, signed_in: bool
) -> AsyncIterator[Attempt]:
    """One attempt on an object of each sort there is for this viewer, and on one that is absent."""
    seen: set[tuple[bool, int]] = set()
    for record in await records.of(operation.kind):
        visible = authorizer.allows(viewer, operation.kind, "view", record)
        decision = authorizer.authorize(viewer, operation.kind, operation.verb, record)
        if (visible, decision.mask) in seen:
            continue
        seen.add((visible, decision.mask))
        verdict = _expected_outcome(visible=visible, allowed=decision.allowed)
        yield Attempt(
            mutation,
            await _input(mutation, record) | {"id": to_global_id(operation.kind.name, record.pk)},
            verdict if signed_in else SIGN_IN,
            _forbidding_rule(decision) if verdict == FORBIDDEN and signed_in else "",
            f"{operation.kind.name} {record.pk} {getattr(record, 'state', '')}",
        )
    absent = await _input(mutation, None) | {"id": to_global_id(operation.kind.name, uuid4())}
    yield Attempt(
        mutation, absent, NOT_FOUND if signed_in else SIGN_IN, absent=True, description="absent"
    )


def _forbidding_rule(decision: Decision) -> str:
    """The prohibition; where nothing lets the role do it on any object, none is named."""
    known = authorizer.edition.fact_bits(decision.role, decision.kind, decision.verb)
    return decision.rule if known else ""


def _expected_outcome(*, visible: bool, allowed: bool) -> str:
    if not visible:
        return NOT_FOUND
    return ALLOWED if allowed else FORBIDDEN


async def _input(mutation: str, record: Model | None) -> Input:
    given = EXISTING_OBJECTS[mutation]
    return dict(given) if isinstance(given, dict) else await given(record)


async def attempts_to_create(  # noqa: PLR0917 - what is needed to know what must come of it
    viewer: Viewer,
    mutation: str,
    operation: Operation[Any],
    records: Records,
    schema: GovernedSchema,
    *,
    signed_in: bool,
) -> AsyncIterator[Attempt]:
    """Attempts that refer to one's own objects, to foreign, invisible and absent ones."""
    for new in NEW_OBJECTS[mutation]:
        for kind, id, visible, about in await _references(viewer, new, records):
            sent = await new.input(viewer)
            if new.refers:
                _set_value(sent, new.refers, to_global_id(kind, id))
            verdict, rule = SIGN_IN, ""
            if signed_in:
                args = decoded_arguments(schema, mutation, sent)
                verdict, rule = await _of_new(viewer, operation, args, visible=visible)
            absent = about == "absent"
            yield Attempt(mutation, sent, verdict, rule, about, new.refers, absent=absent)


def _set_value(sent: Input, path: str, value: str) -> None:
    *way, last = path.split(".")
    place: Any = sent
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[last] = value


_Reference = tuple[str, UUID, bool, str]


async def _references(viewer: Viewer, new: NewObject, records: Records) -> list[_Reference]:
    """References of the new object: one of each sort, with its visibility."""
    if not new.refers:
        return [("", uuid4(), True, "nothing")]
    if new.kind is None:
        entry = await find_entry()
        return [("Entry", entry, True, "entry"), ("Entry", uuid4(), False, "absent")]
    found: dict[tuple[bool, bool, bool], _Reference] = {}
    for record in await records.of(new.kind):
        visible = authorizer.allows(viewer, new.kind, "view", record)
        owner = record.pk if new.kind is ORGANISATION else record.organisation_id
        own, inside = owner == viewer.organisation, _in_scope(viewer, record)
        if own and new.refers in {"buyer", "parties.1.organisation"}:
            continue  # No organisation trades with itself.
        if new.refers == "buyer" and record.kind != "enterprise":
            continue
        if owner is None:
            continue  # Issuance and outside money have no owner.
        said = f"{'' if visible else 'in'}visible {'own' if own else 'foreign'} {record.pk}"
        found.setdefault((visible, own, inside), (new.kind.name, record.pk, visible, said))
    return [*found.values(), (new.kind.name, uuid4(), False, "absent")]


def _in_scope(viewer: Viewer, record: Any) -> bool:  # noqa: ANN401 - the kind's own record
    places = {getattr(record, "city", None), getattr(record, "county", None)}
    return viewer.division != "" and viewer.division in places


async def _of_new(
    viewer: Viewer, operation: Operation[Any], args: dict[str, Any], *, visible: bool
) -> tuple[str, str]:
    """The verdict on what would be made of these arguments, and the prohibition."""
    assert operation.build is not None
    hopeless = authorizer.never_allowed(viewer, operation.kind, operation.verb)
    if hopeless is not None:
        return FORBIDDEN, hopeless.rule
    if not visible:
        return NOT_FOUND, ""
    context = CommandContext(
        Principal(), viewer, uuid4(), await read_access_snapshot(), ViewerRecord()
    )
    try:
        async with rolled_back():
            record = await operation.build(context, **args)
            decision = authorizer.authorize(viewer, operation.kind, operation.verb, record)
    except Refused as refused:  # The input is wrong for every sender.
        return refused.code.value, ""
    return (ALLOWED, "") if decision.allowed else (FORBIDDEN, _forbidding_rule(decision))


def decoded_arguments(schema: GovernedSchema, mutation: str, sent: Input) -> dict[str, Any]:
    """An input of the API as the operation takes it."""
    root = schema._schema.mutation_type
    assert root is not None
    field = root.fields[mutation]
    given = cast("GraphQLNonNull[Any]", field.args["input"].type)
    coerced = coerce_input_value({**sent, "idempotencyKey": "k"}, given)
    made = convert_arguments(
        {"input": coerced},
        _strawberry_field(field).arguments,
        scalar_registry=schema.schema_converter.scalar_registry,
        config=schema.config,
    )
    args = to_arguments(made["input"])
    return {name: args[name] for name in args if name not in {"idempotency_key", "preview"}}
