"""The frame of every write, whoever sends it: portal, console, command line, demonstration data.

In this order: begin; who acts; claim the key; lock organisations, then the object; visible, else
not found; decide;
conditions; run; write the act; commit. A refusal anywhere leaves nothing behind.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar
from uuid import UUID, uuid4

import structlog
from tortoise.models import Model

from policies.engine import Decision
from registry.access.authorizer import gate
from registry.access.kinds import Kind
from registry.access.principals import NIL, Caller, Viewer
from registry.access.viewer_lookup import enter
from registry.commands import audit_log as acts
from registry.commands.records import Act
from registry.db.session import (
    by_key,
    execute,
    found,
    record_of,
    retried,
    row,
    rows,
    save,
    transaction,
)
from registry.kernel.errors import Condition, ConditionsUnmet, NotFound, Refused, SignInRequired

R = TypeVar("R", bound=Model)
P = ParamSpec("P")
Args = dict[str, Any]

_key = object()


class Grant:
    """Proof that the gate said yes to one verb on one object. Only the frame makes one."""

    __slots__ = ("decision", "object_id")

    def __init__(self, key: object, decision: Decision, object_id: UUID) -> None:
        if key is not _key or decision.allowed is not True:
            raise PermissionError("a grant comes from the gate alone")
        self.decision = decision
        self.object_id = object_id


@dataclass(frozen=True, slots=True)
class Movement:
    """A posting as a preview shows it; the quantity in base units."""

    source: UUID
    target: UUID
    instrument: UUID
    quantity: int


@dataclass(slots=True)
class Work:
    """One unit of work: who acts and when; ``grant`` is there once the gate said yes.

    Attributes:
        along: other new records that the frame writes with the object and the act.

    """

    viewer: Viewer
    act_id: UUID
    grant: Grant | None = None
    movements: list[Movement] = field(default_factory=list)
    along: list[Model] = field(default_factory=list)
    conditions: tuple[Condition, ...] = ()

    @property
    def now(self) -> datetime:
        """The registry's time; the same from the moment the organisations are locked."""
        return self.viewer.now

    def granted(self) -> Grant:
        """The grant of this command.

        Raises:
            PermissionError: the gate has not been asked.

        """
        if not isinstance(self.grant, Grant):
            raise PermissionError("the gate has not said yes")
        return self.grant


# A measure that was waited for began later than the command; it counts only after its beginning.
_SHARED = """
    WITH shared AS (SELECT id FROM organisation WHERE id = ANY($1) ORDER BY id FOR SHARE)
    SELECT registry_now() AS now FROM (SELECT count(*) FROM shared OFFSET 0) AS counted
"""
# Its organisations first: all commands lock in one order.
_LOCKED = """
    WITH shared AS (SELECT id FROM organisation WHERE id = ANY($2) ORDER BY id FOR SHARE),
    locked AS ({} AND (SELECT count(*) FROM shared) >= 0 FOR NO KEY UPDATE)
    SELECT registry_now() AS moment_of_lock, locked.* FROM locked
"""

Find = Callable[..., Awaitable[Model]]
Weigh = Callable[..., Awaitable[list[Condition]]]


@dataclass(frozen=True, slots=True)
class Operation(Generic[R]):
    """A verb of the rule book and the function that carries it out.

    Attributes:
        name: the function's name; the mutation is called the same in camelCase.
        propose: builds the object that does not exist yet, unsaved; None where an existing one is
            named by ``id``.
        weigh: rules of the concept, evaluated all together before the run.
        run: changes the record in memory and posts; the frame saves the record.

    """

    name: str
    kind: Kind
    verb: str
    propose: Find | None
    weigh: tuple[Weigh, ...]
    run: Callable[..., Awaitable[R]]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a command would do: computed inside the transaction and rolled back.

    Attributes:
        movements: what would be posted.
        scales: of the instruments moved, by which quantities are shown; one may be gone by then.
        next_state: of the object, where it has states.
        next_approvers: the (role, verb) pairs for whose decision it would wait.
        conditions: all that were evaluated, met or not.

    """

    movements: tuple[Movement, ...]
    scales: dict[UUID, int]
    next_state: str | None
    next_approvers: tuple[tuple[str, str], ...]
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Outcome(Generic[R]):
    """What came of a command; ``preview`` is set where only a preview was asked for."""

    record: R
    act_id: UUID
    replayed: bool = False
    preview: Preview | None = None


OPERATIONS: dict[str, Operation[Any]] = {}
"""Every operation by name; the schema and the tests read it."""


def operation(
    kind: Kind, verb: str, *, propose: Find | None = None, weigh: tuple[Weigh, ...] = ()
) -> Callable[[Callable[Concatenate[Work, R, P], Awaitable[R]]], Operation[R]]:
    """Register the decorated function as the way ``verb`` is carried out on ``kind``."""

    def register(run: Callable[Concatenate[Work, R, P], Awaitable[R]]) -> Operation[R]:
        name = run.__name__
        if name in OPERATIONS:
            raise ValueError(f"operation {name} is declared twice")
        OPERATIONS[name] = made = Operation(name, kind, verb, propose, weigh, run)
        return made

    return register


class _Previewed(Exception):
    """Carries a preview out of the transaction, which rolls back on its way."""

    def __init__(self, outcome: Outcome[Any]) -> None:
        super().__init__()
        self.outcome = outcome


async def command(
    operation: Operation[R], caller: Caller, args: Args, *, key: str, preview: bool = False
) -> Outcome[R]:
    """Carry out one operation, or say what it would do.

    Args:
        operation: what is to be done.
        caller: who asks, as sign-in knows him.
        args: the arguments of the operation by name.
        key: the idempotency key, 1 to 200 characters; the same key and input again changes nothing.
        preview: compute everything and roll back; the key is neither consumed nor replayed.

    Raises:
        Refused: any refusal of ``registry.kernel.errors``; nothing was changed.

    """
    began = time.perf_counter()
    line = structlog.get_logger().bind(action=operation.name, client=caller.client)
    try:
        acts.check_key(key)
        outcome = await retried(
            partial(_attempt, operation, caller, args, key=key, preview=preview)
        )
    except Refused as refusal:
        line.info("refused", code=refusal.code.value, rule=refusal.rule, ms=_ms(began))
        raise
    done = "previewed" if outcome.preview else "replayed" if outcome.replayed else "done"
    line.info(done, object=str(outcome.record.pk), act=str(outcome.act_id), ms=_ms(began))
    return outcome


def _ms(began: float) -> int:
    return int((time.perf_counter() - began) * 1000)


async def _attempt(
    operation: Operation[R], caller: Caller, args: Args, *, key: str, preview: bool
) -> Outcome[R]:
    try:
        async with transaction():
            return await _within(operation, caller, args, key=key, preview=preview)
    except _Previewed as previewed:
        return previewed.outcome


async def _within(
    operation: Operation[R], caller: Caller, args: Args, *, key: str, preview: bool
) -> Outcome[R]:
    work = await _begin(caller)
    text, digest = acts.canonical(operation.name, args)
    if not preview:
        earlier = await acts.claim(work.viewer, key, digest, work.act_id)
        if earlier is not None:
            return await _replayed(operation, work, earlier)
    record, before = await _decided(operation, work, args)
    work.conditions = await _conditions(operation, work, record, args)
    unmet = any(not condition.met for condition in work.conditions)
    if unmet and not preview:
        raise ConditionsUnmet(work.conditions)
    if not unmet:
        record = await operation.run(work, record, **_rest(operation, args))
        act = _act(operation, work, record, before=before, key=key, text=text)
        await save(*_changed(work, record), *work.along, act)
    if preview:
        await execute("SET CONSTRAINTS ALL IMMEDIATE")
        raise _Previewed(await _previewed(operation, work, record))
    return Outcome(record, work.act_id)


async def _begin(caller: Caller) -> Work:
    """Who acts, at what time, under the newest rules; his appointment cannot end meanwhile."""
    if not (caller.subject or caller.machine):
        raise SignInRequired
    return Work(await enter(caller, lock=True), uuid4())


async def _replayed(operation: Operation[R], work: Work, act_id: UUID) -> Outcome[R]:
    """The object of an earlier act, read anew under today's rights."""
    act = await Act.get(id=act_id)
    record = await operation.kind.record.get_or_none(id=act.object_id)
    if record is None or not gate.allows(work.viewer, operation.kind, "view", record):
        raise NotFound
    return Outcome(record, act_id, replayed=True)  # type: ignore[arg-type]  # The kind's own record.


async def _decided(operation: Operation[Any], work: Work, args: Args) -> tuple[Any, str | None]:
    """The object, locked and granted, with the state it was found in."""
    kind, viewer = operation.kind, work.viewer
    if operation.propose is not None:
        hopeless = gate.hopeless(viewer, kind, operation.verb)
        if hopeless is not None:
            raise hopeless
        record: Any = await operation.propose(work, **args)
        await _lock_organisations(work, kind, record)
        before = None
    else:
        record = await _locked(work, kind, args["id"])
        before = getattr(record, "state", None)
    decision = gate.decide(work.viewer, kind, operation.verb, record)
    if decision.allowed is not True:
        raise gate.forbidden(work.viewer, kind, operation.verb, record)
    work.grant = Grant(_key, decision, record.pk)
    return record, before


async def _locked(work: Work, kind: Kind, id: UUID) -> Any:  # noqa: ANN401 - the kind's own record
    """The object, locked with its organisations; the command's moment is the one after the wait.

    Whoever may not see it waits for no lock: the wait would tell him that it is there.
    """
    seen = await found(kind.record, id)
    if seen is None or not gate.allows(work.viewer, kind, "view", seen):
        raise NotFound
    line = await row(_LOCKED.format(by_key(kind.record)), id, _organisations(kind, seen))
    if line is None:
        raise NotFound
    work.viewer = replace(work.viewer, now=line.pop("moment_of_lock"))
    locked = record_of(kind.record, line)
    if not gate.allows(work.viewer, kind, "view", locked):
        raise NotFound
    return locked


async def _lock_organisations(work: Work, kind: Kind, record: object) -> None:
    """Share-lock them; the command's moment is the one after the wait, when it has them."""
    ids = _organisations(kind, record)
    if ids:
        locked = await row(_SHARED, ids)
        assert locked is not None, "an aggregate answers one row"
        work.viewer = replace(work.viewer, now=locked["now"])


def _organisations(kind: Kind, record: object) -> list[UUID]:
    return sorted({id for id in kind.organisations(record) if id != NIL})


async def _conditions(
    operation: Operation[Any], work: Work, record: object, args: Args
) -> tuple[Condition, ...]:
    found: list[Condition] = []
    for weigh in operation.weigh:
        found += await weigh(work, record, **_rest(operation, args))
    return tuple(found)


def _rest(operation: Operation[Any], args: Args) -> Args:
    """The arguments but the one that named the object."""
    if operation.propose is not None:
        return args
    return {name: value for name, value in args.items() if name != "id"}


def _changed(work: Work, record: Any) -> list[Model]:  # noqa: ANN401 - any concept's record
    """The record, with who signed and when, where the run changed it in memory."""
    if hasattr(record, "acted") and work.viewer.person not in (NIL, *record.acted):
        record.acted = [*record.acted, work.viewer.person]
        if hasattr(record, "acted_for"):
            record.acted_for = [*record.acted_for, work.viewer.organisation]
    governed = "changed_at" in record._meta.fields_map  # noqa: SLF001 - Tortoise's own catalogue
    if governed:
        record.changed_at = work.now
    new = not record._saved_in_db  # noqa: SLF001 - likewise
    return [record] if governed or new else []


async def _previewed(operation: Operation[R], work: Work, record: R) -> Outcome[R]:
    moved = list({movement.instrument for movement in work.movements})
    scales = await rows("SELECT id, scale FROM instrument WHERE id = ANY($1)", moved)
    preview = Preview(
        movements=tuple(work.movements),
        scales={instrument["id"]: instrument["scale"] for instrument in scales},
        next_state=getattr(record, "state", None),
        next_approvers=gate.next_approvers(operation.kind, record, now=work.now),
        conditions=work.conditions,
    )
    return Outcome(record, work.act_id, preview=preview)


def _act(
    operation: Operation[Any], work: Work, record: Model, *, before: str | None, key: str, text: str
) -> Act:
    viewer, decision = work.viewer, work.granted().decision
    return Act(
        id=work.act_id,
        at=work.now,
        operation=operation.name,
        kind=operation.kind.name,
        verb=operation.verb,
        object_id=record.pk,
        role=viewer.role,
        person_id=acts.or_none(viewer.person),
        appointment_id=acts.or_none(viewer.appointment),
        organisation_id=acts.or_none(viewer.organisation),
        client=viewer.client,
        edition=decision.edition,
        rule=decision.rule,
        facts=list(gate.edition.book.names(decision.mask)),
        key=key,
        state_before=before,
        state_after=getattr(record, "state", None),
        input=text,
    )
