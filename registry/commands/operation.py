"""Operations, as concepts declare them, and the unit of work that carries one out."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar
from uuid import UUID

from tortoise.models import Model

from policies.engine import Decision
from registry.access.epoch import AccessSnapshot
from registry.access.kinds import Kind
from registry.access.principals import Principal, Viewer
from registry.access.viewer_lookup import ViewerRecord
from registry.commands.locks import Accounts
from registry.db.session import ValueStatement
from registry.kernel.errors import Condition

R = TypeVar("R", bound=Model)
P = ParamSpec("P")
Args = dict[str, Any]

AUTHORIZATION_KEY = object()
"""Only the frame uses it."""


class Authorization:
    """Proof that the rules allow one verb on one object. Only the frame makes one."""

    __slots__ = ("decision", "object_id")

    def __init__(self, key: object, decision: Decision, object_id: UUID) -> None:
        if key is not AUTHORIZATION_KEY or decision.allowed is not True:
            raise PermissionError("only an allowed decision is an authorization")
        self.decision = decision
        self.object_id = object_id


@dataclass(frozen=True, slots=True)
class PostingPreview:
    """A posting as a preview shows it; the quantity in base units."""

    source: UUID
    target: UUID
    instrument: UUID
    quantity: int


@dataclass(slots=True)
class CommandContext:
    """One unit of work: who acts and when; ``authorization`` is there once the rules allow it."""

    principal: Principal
    viewer: Viewer
    audit_entry_id: UUID
    access: AccessSnapshot
    viewer_record: ViewerRecord  # As of ``access``.
    authorization: Authorization | None = None
    # Those that were read with the lock of the object.
    accounts: Accounts = field(default_factory=dict)
    postings: list[PostingPreview] = field(default_factory=list)
    # Statements that the saving statement runs before it writes the records, such as an entry.
    run_first: list[ValueStatement] = field(default_factory=list)
    # Other new records that the frame writes with the object and the audit entry.
    also_save: list[Model] = field(default_factory=list)
    conditions: tuple[Condition, ...] = ()

    @property
    def reference_version(self) -> UUID:
        """Names the reference data that holds for it."""
        return self.access.reference_version

    @property
    def now(self) -> datetime:
        """The registry's time; the same from the moment the organisations are locked."""
        return self.viewer.now

    def authorized(self) -> Authorization:
        if not isinstance(self.authorization, Authorization):
            raise PermissionError("the rules were not asked, or did not allow it")
        return self.authorization


RecordBuilder = Callable[..., Awaitable[Model]]
Precondition = Callable[..., Awaitable[list[Condition]]]


@dataclass(frozen=True, slots=True)
class Operation(Generic[R]):
    """A verb of the rule book and the function that carries it out."""

    name: str  # The function's name; the mutation is called the same in camelCase.
    kind: Kind
    verb: str
    # Builds the object that does not exist yet, unsaved; None where an existing one is named by
    # ``id``.
    build: RecordBuilder | None
    # Rules of the concept, evaluated all together before the run.
    preconditions: tuple[Precondition, ...]
    # Changes the record in memory and posts; the frame saves the record.
    execute: Callable[..., Awaitable[R]]
    # Each of its audit entries has at least one ledger entry; ``biandan verify`` checks.
    posts: bool = False
    # Locks the organisations of its object exclusively: it ends or bars what they may do, so it
    # waits for the commands under way, and later ones wait for it.
    exclusive: bool = False
    # Null empties a parameter; else it is the same as a parameter that is left out.
    null_clears: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """The effect of a command, computed inside the transaction and rolled back."""

    postings: tuple[PostingPreview, ...]
    next_state: str | None  # Of the object, where it has states.
    # The (role, verb) pairs in whose work list it would be.
    next_actors: tuple[tuple[str, str], ...]
    conditions: tuple[Condition, ...]  # All that were evaluated, met or not.


PreviewReader = Callable[[Viewer, Preview], Awaitable[None]]
"""Reads what a preview names, in the transaction that made it."""


def operation(  # noqa: PLR0913 - what an operation declares
    kind: Kind,
    verb: str,
    *,
    build: RecordBuilder | None = None,
    preconditions: tuple[Precondition, ...] = (),
    posts: bool = False,
    exclusive: bool = False,
    null_clears: bool = False,
) -> Callable[[Callable[Concatenate[CommandContext, R, P], Awaitable[R]]], Operation[R]]:
    """Make the decorated function the operation that carries out ``verb`` on ``kind``."""

    def make(run: Callable[Concatenate[CommandContext, R, P], Awaitable[R]]) -> Operation[R]:
        name = run.__name__
        return Operation(name, kind, verb, build, preconditions, run, posts, exclusive, null_clears)

    return make
