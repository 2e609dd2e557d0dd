"""The frame of every write: of portals, the console, the command line and demonstration data.

In this order: begin; resolve the viewer; lock organisations; claim the key and lock the object,
which must be visible; resolve the viewer again where access changed; decide; evaluate the
conditions; execute; write the audit entry; commit. A refusal anywhere leaves nothing behind.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Generic
from uuid import UUID, uuid4

import structlog
from tortoise.models import Model

from registry.access.authorizer import authorizer
from registry.access.kinds import Kind
from registry.access.principals import NIL, Principal
from registry.access.viewer_lookup import load_viewer_record, viewer_from_record
from registry.commands import audit_log as acts
from registry.commands.idempotency import KeyClaim, check_key, claim_key, earlier_audit_entry
from registry.commands.locks import (
    lock_organisations,
    lock_target,
    lock_target_organisations,
)
from registry.commands.operation import (
    AUTHORIZATION_KEY,
    Args,
    Authorization,
    CommandContext,
    Operation,
    Preview,
    PreviewReader,
    R,
)
from registry.commands.records import AuditEntry
from registry.db.session import execute, get_by_id, save, transaction, with_retries
from registry.db.tortoise_engine import is_saved, meta_of, new_record
from registry.kernel.errors import (
    Condition,
    ConditionsUnmet,
    NotFound,
    Overloaded,
    Refused,
    SignInRequired,
)


@dataclass(frozen=True, slots=True)
class CommandResult(Generic[R]):
    """The result of a command; ``preview`` is set if only a preview was requested."""

    record: R
    audit_entry_id: UUID
    is_replay: bool = False
    preview: Preview | None = None


class _PreviewRollback(Exception):
    """Carries a preview out of the transaction, which rolls back on its way."""

    def __init__(self, result: CommandResult[Any]) -> None:
        super().__init__()
        self.result = result


async def execute_command(
    operation: Operation[R],
    principal: Principal,
    args: Args,
    *,
    key: str,
    preview: bool | PreviewReader = False,
) -> CommandResult[R]:
    """Carry out one operation, or say what it would do.

    Args:
        operation: what is to be done.
        principal: the authenticated caller.
        args: the arguments of the operation by name.
        key: the idempotency key, 1 to 200 characters; the same key and input again changes nothing.
        preview: compute everything and roll back; the key is neither consumed nor replayed. A
            reader is called before the rollback, in the same transaction.

    """
    began = time.perf_counter()
    line = structlog.get_logger().bind(action=operation.name, client=principal.client)
    try:
        check_key(key)
        run = partial(_execute, operation, principal, args, key=key, preview=preview)
        outcome = await with_retries(partial(_run_in_transaction, run))
    except Refused as refusal:
        line.info("refused", code=refusal.code.value, rule=refusal.rule, ms=_elapsed_ms(began))
        raise
    done = "previewed" if outcome.preview else "replayed" if outcome.is_replay else "done"
    line.info(
        done, object=str(outcome.record.pk), act=str(outcome.audit_entry_id), ms=_elapsed_ms(began)
    )
    return outcome


def _elapsed_ms(began: float) -> int:
    return int((time.perf_counter() - began) * 1000)


async def _run_in_transaction(run: Callable[[], Awaitable[CommandResult[R]]]) -> CommandResult[R]:
    try:
        async with transaction():
            return await run()
    except _PreviewRollback as previewed:
        return previewed.result


async def _execute(
    operation: Operation[R],
    principal: Principal,
    args: Args,
    *,
    key: str,
    preview: bool | PreviewReader,
) -> CommandResult[R]:
    context = await _start(principal)
    input, digest = acts.canonical_input(operation.name, args)
    claim = None if preview else KeyClaim(context.viewer, key, digest, context.audit_entry_id)
    if operation.build is None:
        record = await _lock_object(operation, context, args["id"], claim)
    else:
        record = await _build_object(operation, context, args, claim)
    if record is None:
        return await _replay(operation, context, claim)
    before = getattr(record, "state", None) if operation.build is None else None
    _authorize(operation, context, record)
    context.conditions = await _check_conditions(operation, context, record, args)
    unmet = any(not condition.met for condition in context.conditions)
    if unmet and not preview:
        raise ConditionsUnmet(context.conditions)
    if not unmet:
        record = await operation.execute(context, record, **_arguments_without_id(operation, args))
        act = _build_audit_entry(operation, context, record, before=before, key=key, input=input)
        records = (*_records_to_save(context, record), *context.also_save, act)
        await save(*records, first=context.run_first)
    if preview:
        await execute("SET CONSTRAINTS ALL IMMEDIATE")
        reader = preview if callable(preview) else None
        raise _PreviewRollback(await _preview(operation, context, record, reader))
    return CommandResult(record, context.audit_entry_id)


async def _start(principal: Principal) -> CommandContext:
    """The viewer now, under the newest rules."""
    if not (principal.subject or principal.system_role):
        raise SignInRequired
    access, record = await load_viewer_record(principal)
    viewer = viewer_from_record(principal, record, access.now)
    return CommandContext(principal, viewer, uuid4(), access, record)


async def _resolve_again(context: CommandContext) -> None:
    """The viewer after the wait for the locks: it may have been dismissed or barred meanwhile."""
    context.access, context.viewer_record = await load_viewer_record(context.principal)
    _set_viewer(context, context.access.now)


def _set_viewer(context: CommandContext, now: datetime) -> None:
    viewer = viewer_from_record(context.principal, context.viewer_record, now)
    if viewer.organisation != context.viewer.organisation:
        raise Overloaded
    context.viewer = viewer


async def _replay(
    operation: Operation[R], context: CommandContext, claim: KeyClaim | None
) -> CommandResult[R]:
    """The object of an earlier command, read anew under today's rights."""
    assert claim is not None, "a preview claims no key"
    audit_entry_id = await earlier_audit_entry(claim)
    assert audit_entry_id is not None, "the key is bound"
    entry = await get_by_id(AuditEntry, audit_entry_id)
    assert entry is not None, "a key and its audit entry are written together"
    record = await get_by_id(operation.kind.record, entry.object_id)
    if record is None or not authorizer.allows(context.viewer, operation.kind, "view", record):
        raise NotFound
    return CommandResult(record, audit_entry_id, is_replay=True)  # type: ignore[arg-type]  # The kind's own record.


async def _lock_object(
    operation: Operation[R], context: CommandContext, id: UUID, claim: KeyClaim | None
) -> R | None:
    """The object, locked after its organisations; None where the key was bound already."""
    kind = operation.kind
    locked = await lock_target_organisations(
        context.viewer, kind, id, exclusive=operation.exclusive
    )
    target = await lock_target(context.viewer, kind, id, claim, posts=operation.posts)
    if target is None:
        return None
    if target.epoch == context.access.epoch:
        # Nothing was changed, but a term may have ended during the wait.
        _set_viewer(context, target.now)
    else:
        await _resolve_again(context)
    context.accounts = target.accounts
    # It may have changed during the wait.
    if not authorizer.allows(context.viewer, kind, "view", target.record):
        raise NotFound
    _check_locked(kind, target.record, locked)
    record: R = target.record
    return record


async def _build_object(
    operation: Operation[R], context: CommandContext, args: Args, claim: KeyClaim | None
) -> R | None:
    """The object as it would be, built again after the wait for the organisations that it names."""
    assert operation.build is not None, "this operation makes an object"
    try:
        named = _named_organisations(operation.kind, await _build(operation, context, args))
    except Refused:
        # An earlier command with this key may be why it cannot be done again.
        if claim is not None and await earlier_audit_entry(claim) is not None:
            return None
        raise
    locked = await lock_organisations(context.viewer, named, exclusive=operation.exclusive)
    await _resolve_again(context)
    if claim is not None and not await claim_key(claim):
        return None
    record: R = await _build(operation, context, args)  # type: ignore[assignment]  # The kind's own record.
    _check_locked(operation.kind, record, locked)
    return record


async def _build(operation: Operation[R], context: CommandContext, args: Args) -> Model:
    assert operation.build is not None, "this operation makes an object"
    hopeless = authorizer.never_allowed(context.viewer, operation.kind, operation.verb)
    if hopeless is not None:
        raise hopeless
    return await operation.build(context, **args)


def _check_locked(kind: Kind, record: Model, locked: frozenset[UUID]) -> None:
    """Refuse as overloaded where the object came to name others while its own were waited for."""
    if not locked.issuperset(_named_organisations(kind, record)):
        raise Overloaded


def _named_organisations(kind: Kind, record: Model) -> list[UUID]:
    """Those that the record names; a new organisation names only others."""
    own = NIL if is_saved(record) else record.pk
    return [id for id in kind.organisations_of(record) if id != own]


def _authorize(operation: Operation[Any], context: CommandContext, record: Any) -> None:  # noqa: ANN401 - the kind's own record
    """Decide on the object."""
    kind, viewer = operation.kind, context.viewer
    decision = authorizer.authorize(viewer, kind, operation.verb, record)
    if decision.allowed is not True:
        raise authorizer.forbidden(viewer, kind, operation.verb, record)
    context.authorization = Authorization(AUTHORIZATION_KEY, decision, record.pk)


async def _check_conditions(
    operation: Operation[Any], context: CommandContext, record: object, args: Args
) -> tuple[Condition, ...]:
    found: list[Condition] = []
    for weigh in operation.preconditions:
        found += await weigh(context, record, **_arguments_without_id(operation, args))
    return tuple(found)


def _arguments_without_id(operation: Operation[Any], args: Args) -> Args:
    """The arguments but the one that named the object."""
    return {n: value for n, value in args.items() if operation.build is not None or n != "id"}


def _records_to_save(context: CommandContext, record: Any) -> list[Model]:  # noqa: ANN401 - any concept's record
    """The record, with who signed and when, where the run changed it in memory."""
    if hasattr(record, "signatories") and context.viewer.person not in (NIL, *record.signatories):
        record.signatories = [*record.signatories, context.viewer.person]
        if hasattr(record, "signed_for"):
            record.signed_for = [*record.signed_for, context.viewer.organisation]
    governed = "changed_at" in meta_of(record).fields_map
    if governed:
        record.changed_at = context.now
    new = not is_saved(record)
    return [record] if governed or new else []


async def _preview(
    operation: Operation[R], context: CommandContext, record: R, reader: PreviewReader | None
) -> CommandResult[R]:
    computed = Preview(
        postings=tuple(context.postings),
        next_state=getattr(record, "state", None),
        next_actors=authorizer.next_actors(operation.kind, record, now=context.now),
        conditions=context.conditions,
    )
    if reader is not None:
        await reader(context.viewer, computed)
    return CommandResult(record, context.audit_entry_id, preview=computed)


def _build_audit_entry(
    operation: Operation[Any],
    context: CommandContext,
    record: Model,
    *,
    before: str | None,
    key: str,
    input: Args,
) -> AuditEntry:
    viewer, decision = context.viewer, context.authorized().decision
    return new_record(
        AuditEntry,
        id=context.audit_entry_id,
        at=context.now,
        operation=operation.name,
        kind=operation.kind.name,
        verb=operation.verb,
        object_id=record.pk,
        role=viewer.role,
        person_id=acts.nil_to_none(viewer.person),
        appointment_id=acts.nil_to_none(viewer.appointment_id),
        organisation_id=acts.nil_to_none(viewer.organisation),
        client=viewer.client,
        edition=decision.edition,
        rule=decision.rule,
        facts=list(authorizer.edition.book.fact_names(decision.mask)),
        key=key,
        state_before=before,
        state_after=getattr(record, "state", None),
        input=input,
    )
