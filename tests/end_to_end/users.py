"""The users of the end-to-end tests: each role, and those who lack something."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from registry.access.principals import NIL, Principal
from registry.db.session import fetch_one
from tests.support.live_server import CLIENT, Portal

CLIENT_NAME = "demonstration-portal"


@dataclass(frozen=True, slots=True)
class DemoUser:
    """A sender of requests; without a subject a program, or the public."""

    subject: str = ""
    client: str = CLIENT
    appointment_expired: bool = False

    async def principal(self) -> Principal:
        """The principal of the access token."""
        if not self.subject and self.client != CLIENT_NAME:
            return Principal()
        return Principal(self.subject, await self.appointment() or NIL, self.client)

    async def appointment(self) -> UUID | None:
        """The appointment named by the requests: one that has expired."""
        if not self.appointment_expired:
            return None
        found = await fetch_one(
            "SELECT a.id FROM appointment a JOIN person p ON p.id = a.person_id"
            " WHERE p.subject = $1",
            self.subject,
        )
        return UUID(str(found["id"])) if found else None

    async def ask(
        self, portal: Portal, query: str, variables: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """The whole response to the request."""
        signed = self.subject or (self.client if self.client == CLIENT_NAME else "")
        named = await self.appointment()
        return await portal.ask(
            query, variables, subject=signed, appointment=named, client=self.client
        )


def _officers(*subjects: str) -> dict[str, DemoUser]:
    return {subject: DemoUser(f"demo-{subject}") for subject in subjects}


USERS: dict[str, DemoUser] = {
    **_officers(
        "province-initiator",
        "province-approver",
        "centre-initiator",
        "centre-approver",
        "langfang-initiator",
        "langfang-approver",
        "tangshan-approver",
        "xianghe-initiator",
        "guan-approver",
        "laiyuan-initiator",
        "enterprise-1-initiator",
        "enterprise-1-approver",
        "enterprise-3-initiator",
        "enterprise-4-initiator",
        "enterprise-5-initiator",
        "enterprise-5-approver",
        "enterprise-7-initiator",
        "decheng-initiator",
        "guodian-langfang-initiator",
        "cib-initiator",
        "cib-approver",
        "verifier-initiator",
        "auditor",
    ),
    "province-clerk": DemoUser("test-clerk"),
    "province-judge": DemoUser("test-judge"),
    "an officer whose time has run out": DemoUser("demo-langfang-lapsed", appointment_expired=True),
    "an officer through a program": DemoUser("demo-enterprise-1-initiator", client=CLIENT_NAME),
    "a program": DemoUser(client=CLIENT_NAME),
    "the public": DemoUser(),
}
"""Each role, with an initiator and an approver where it has both; and those who lack something."""

USERS_IN_2026 = _officers(
    "province-approver",
    "centre-initiator",
    "centre-approver",
    "langfang-approver",
    "tangshan-approver",
    "enterprise-tangshan-initiator",
    "enterprise-6-initiator",
    "auditor",
)
"""The users who take part in a transfer across cities."""
