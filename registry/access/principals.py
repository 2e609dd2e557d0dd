"""Who looks and acts: one appointment in force, chosen per request. Never several merged."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

NIL = UUID(int=0)
"""Stands for «no person», «no organisation»: no row carries it, so no comparison matches an
orphan.
"""


@dataclass(frozen=True, slots=True)
class Caller:
    """What sign-in knows of a request before the database was asked.

    Attributes:
        subject: the token's name of the person signed in; empty when nobody is, or when a client
            acts for itself.
        appointment: the appointment named in the request; NIL when none was.
        client: the name of the program that sends the request; empty for nobody.
        scopes: what the token lets the client do, ``Kind:verb`` words; None when the token sets
            no limit.
        machine: the role in which the program itself acts (``registry``, ``operator``); no token
            can set it.

    """

    subject: str = ""
    appointment: UUID = NIL
    client: str = ""
    scopes: frozenset[str] | None = None
    machine: str = ""
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # What is remembered of a caller is looked up on every request, several times.
        told = (self.subject, self.appointment, self.client, self.scopes, self.machine)
        object.__setattr__(self, "_hash", hash(told))

    def __hash__(self) -> int:
        return self._hash


REGISTRY = Caller(machine="registry")
OPERATOR = Caller(machine="operator")


@dataclass(frozen=True, slots=True)
class Viewer:
    """One appointment, as the facts of the rule book see it.

    Attributes:
        role: a role of ``policies.vocabulary.ROLES``.
        now: the registry's time for this request or command.
        organisation: the body the appointment belongs to.
        division: the administrative code of the appointment, six digits; empty for none.
        may_initiate: may open business and sign first.
        may_approve: may decide and countersign.
        scopes: what the acting client may do, ``Kind:verb``; None sets no limit.
        lapsed: the appointment is not in force.
        sanctioned: the organisation is under a sanction that bars new business.
        frozen: the organisation is frozen as a whole.
        authority: the organisation is an authority, so that its own business goes to a second
            officer of its own.
        standing: of all this, what the rules distinguish without looking at a row.

    """

    role: str
    now: datetime
    person: UUID = NIL
    appointment: UUID = NIL
    organisation: UUID = NIL
    division: str = ""
    may_initiate: bool = False
    may_approve: bool = False
    client: str = ""
    scopes: frozenset[str] | None = None
    lapsed: bool = False
    sanctioned: bool = False
    frozen: bool = False
    authority: bool = False
    standing: tuple[object, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Every plan is kept under it, and one viewer serves many requests.
        told = (
            self.role,
            self.may_initiate,
            self.may_approve,
            self.lapsed,
            self.sanctioned,
            self.frozen,
            self.scopes,
        )
        object.__setattr__(self, "standing", told)

    def binds(self) -> dict[str, Any]:
        """The named binds that a fact's SQL face may use."""
        return {
            "organisation": self.organisation,
            "person": self.person,
            "appointment": self.appointment,
            "division": self.division,
            "role": self.role,
            "now": self.now,
        }
