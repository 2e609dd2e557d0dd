"""Whose turn it is on an object: the roles in whose work list it can be."""

import strawberry

from policies.vocabulary import VOCABULARY
from registry.reading.projections import bilingual, word_cases
from schema.framework.enums import Role, Verb
from schema.framework.fields import column, projected_field
from schema.framework.refusals import LocalisedText

MAX_NEXT_ACTORS = 20

ROLE_TEXT = bilingual(
    word_cases("{t}.role", {role: text.en for role, text in VOCABULARY.roles.items()}),
    word_cases("{t}.role", {role: text.zh for role, text in VOCABULARY.roles.items()}),
)


@strawberry.type(description="A role for whose act an object waits 后续办理角色.")
class NextActor:
    """A role and a duty, whichever person of that role acts."""

    role: Role = column("The role 角色.")
    verb: Verb = column("The verb that the role would use 待办操作.")
    role_text: LocalisedText = projected_field("The role's name 角色名称.", ROLE_TEXT)

    @classmethod
    def of(cls, role: str, verb: str) -> "NextActor":
        """The API's form of a pair of role and verb."""
        return cls(role=role, verb=verb, role_text=LocalisedText.of(VOCABULARY.roles[role]))
