"""Principals and viewers: one appointment in force per request, never several merged."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NewType
from uuid import UUID

RoleName = NewType("RoleName", str)
"""A role of the rule book."""

NIL = UUID(int=0)
"""«No person», «no organisation»: no row carries it, so no comparison matches an
orphan.
"""


PUBLIC = "public"
"""The role of who has not signed in."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The identity in a verified access token, before any database lookup."""

    # The token's subject; empty for the public and for a client that acts for itself.
    subject: str = ""
    appointment_id: UUID = NIL  # The appointment named in the request; NIL when none was.
    client: str = ""  # The client that sends the request; empty for none.
    # The ``Kind:verb`` words that the token lets the client do; None when it sets no limit.
    scopes: frozenset[str] | None = None
    # The role in which the program itself acts (``registry``, ``operator``); no token can set it.
    system_role: str = ""
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # The principal is a cache key, hashed several times a request.
        fields = (self.subject, self.appointment_id, self.client, self.scopes, self.system_role)
        object.__setattr__(self, "_hash", hash(fields))

    def __hash__(self) -> int:
        return self._hash


SYSTEM_PRINCIPAL = Principal(system_role="registry")
OPERATOR_PRINCIPAL = Principal(system_role="operator")


@dataclass(frozen=True, slots=True)
class Viewer:
    """One appointment, as the facts of the rule book see it."""

    role: str
    now: datetime
    subject: str = ""  # Whom the token names; empty for the public.
    person: UUID = NIL
    appointment_id: UUID = NIL
    organisation: UUID = NIL
    division: str = ""  # The administrative code of the appointment, six digits; empty for none.
    may_initiate: bool = False
    may_approve: bool = False
    client: str = ""
    # The verbs of the acting client, ``Kind:verb``; None sets no limit.
    scopes: frozenset[str] | None = None
    appointment_expired: bool = False
    is_sanctioned: bool = False  # The organisation is under a sanction that bars new business.
    is_frozen: bool = False
    # The organisation is an authority, so that its own business goes to a second officer of its
    # own.
    is_authority: bool = False
    # No organisation is registered yet; looked up for the program's own roles.
    registry_is_empty: bool = False
    # Of all this, what the rules distinguish without looking at a row.
    policy_key: tuple[object, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Every plan is kept under it, and one viewer serves many requests.
        policy_key = (
            self.role,
            self.may_initiate,
            self.may_approve,
            self.appointment_expired,
            self.is_sanctioned,
            self.is_frozen,
            self.registry_is_empty,
            self.scopes,
        )
        object.__setattr__(self, "policy_key", policy_key)

    def bind_values(self) -> dict[str, Any]:
        """The named binds that the SQL condition of a fact may use."""
        return {
            "organisation": self.organisation,
            "subject": self.subject,
            "person": self.person,
            "appointment": self.appointment_id,
            "division": self.division,
            "role": self.role,
            "now": self.now,
        }
