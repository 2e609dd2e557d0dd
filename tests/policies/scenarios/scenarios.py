"""The table of scenarios: one line is one attempt and its expected result."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLList,
    get_named_type,
    get_nullable_type,
)

from policies.vocabulary import VOCABULARY, Verb
from registry.db.session import fetch_one
from registry.reading.enum_names import enum_name
from schema.build import operations_by_mutation
from schema.framework.global_ids import to_global_id
from schema.root import build_api_schema
from seeds.csv_reader import read_rows
from seeds.demo.cross_region.loader import cross_region_steps
from seeds.demo.scenario_columns import founding_day_steps
from tests.support.live_server import CLIENT, Portal

TABLE = Path(__file__).with_name("scenarios.csv")
FOUNDING, CROSSING = "2022-06-07", "2026-03-02"
PUBLIC_USER, ABSENT = "public", "absent"

_COLUMNS = [
    "number",
    "story",
    "day",
    "who",
    "acting_for",
    "through",
    "verb",
    "kind",
    "on",
    "with",
    "outcome",
    "rule",
    "because",
]
_SCHEMA = build_api_schema()
_MUTATIONS = {
    (operation.kind.name, operation.verb): name
    for name, operation in operations_by_mutation(_SCHEMA).items()
}
_KINDS = {
    act.id: act.operation.kind.name
    for act in (*cross_region_steps(), *founding_day_steps())
    if act.operation.build is not None
}
_REFUSAL_FRAGMENT = """fragment Why on Refusal { code message { en } field rule
    nearMisses { rule missing { en } blocking { en } } }"""
_PREVIEW_FRAGMENT = "fragment Would on Preview { nextState conditions { name met } }"


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of an attempt.

    Attributes:
        outcome: ``done``, ``hidden`` (seen, but this part is masked), ``forbidden`` (by a
            prohibition), ``no rule`` (no rule allows it), ``unmet`` (conditions of the case), or
            the code of the refusal in small letters.
        reasons: by rule (none where no rule speaks) the objection; for ``done`` the state
            that the object would come to.

    """

    outcome: str
    reasons: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A line of the table; see ``README.md`` beside it for its columns."""

    number: str
    story: str
    day: str
    user: str
    acting_for: str
    client: str
    verb: str
    kind: str
    target: str
    arguments: str
    outcome: str
    rule: str
    because: str

    def matches(self, answer: Answer) -> bool:
        """Whether the answer is what the line says."""
        if answer.outcome != self.outcome:
            return False
        if not (self.rule or self.because):
            return True
        found = answer.reasons.get(self.rule)
        return found is not None and self.because in ("", found)


def scenarios() -> list[Scenario]:
    """All lines, in their order."""
    return [Scenario(*cells) for _, cells in read_rows(TABLE, _COLUMNS)]


@dataclass(frozen=True, slots=True)
class ScenarioRunner:
    """A served registry and the objects of its story, by the ids of their rows."""

    portal: Portal
    objects: Mapping[str, UUID]

    async def run(self, line: Scenario) -> Answer:
        """Attempt what the line says; nothing is changed."""
        if _verb(line).is_read:
            return await self._read(line)
        name = _MUTATIONS[line.kind, line.verb]
        mutation = _SCHEMA._schema.mutation_type
        assert mutation is not None
        wanted = mutation.fields[name].args["input"].type
        fields = get_named_type(wanted)
        assert isinstance(fields, GraphQLInputObjectType)
        input = await self._input(line, fields)
        data = await self._ask(
            line,
            f"mutation ($input: {wanted}) {{ done: {name}(input: $input)"
            f" {{ __typename ...Why ...Would }} }} {_REFUSAL_FRAGMENT} {_PREVIEW_FRAGMENT}",
            {"input": input},
        )
        return _answer(data["done"])

    async def _read(self, line: Scenario) -> Answer:
        """Look at an object, or at the part of it that the verb uncovers."""
        id = await self._id_of(line.target, line.kind)
        data = await self._ask(
            line,
            "query ($id: ID!) { node(id: $id) { ... on Governed { maskedFields } } }",
            {"id": id},
        )
        if data["node"] is None:
            return Answer("not found", {"": ""})
        masked = line.verb != "view" and data["node"]["maskedFields"]
        return Answer("hidden" if masked else "done", {"": ""})

    async def _ask(self, line: Scenario, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        subject = "" if line.user == PUBLIC_USER else f"demo-{line.user}"
        if line.client and not line.user:
            subject = line.client  # The program for itself.
        answer = await self.portal.ask(
            query,
            variables,
            subject=subject,
            appointment=await self._appointment(line),
            client=line.client or CLIENT,
        )
        if answer.get("errors"):
            code = answer["errors"][0]["extensions"]["code"]
            return {"done": {"__typename": "Refusal", "code": code}, "node": None}
        data: dict[str, Any] = answer["data"]
        return data

    async def _appointment(self, line: Scenario) -> UUID | None:
        if not line.acting_for:
            return None
        found = await fetch_one(
            "SELECT a.id FROM appointment a JOIN person p ON p.id = a.person_id"
            " WHERE p.subject = $1 AND a.organisation_id = $2",
            f"demo-{line.user}",
            self.objects[line.acting_for],
        )
        assert found is not None, f"{line.user} has no post at {line.acting_for}"
        return UUID(str(found["id"]))

    async def _input(self, line: Scenario, fields: GraphQLInputObjectType) -> dict[str, Any]:
        input: dict[str, Any] = {"idempotencyKey": str(uuid4()), "preview": True}
        if "id" in fields.fields:
            input["id"] = await self._id_of(line.target, line.kind)
        for said in filter(None, line.arguments.split(" | ")):
            name, _, value = said.partition(": ")
            input[name] = await self._value(value, get_nullable_type(fields.fields[name].type))
        return input

    async def _value(self, said: str, wanted: object) -> object:
        if isinstance(wanted, GraphQLList):
            return await self._parts(json.loads(said))
        if wanted is GraphQLBoolean:
            return {"yes": True, "no": False}[said]
        if wanted is GraphQLInt:
            return int(said)
        if isinstance(wanted, GraphQLEnumType):
            return enum_name(said)
        return await self._parts(said)

    async def _parts(self, value: object) -> object:
        """The value with identifiers for what it names by ``@``."""
        match value:
            case str() if value.startswith("@"):
                return await self._id_of(value.removeprefix("@"))
            case list():
                return [await self._parts(part) for part in value]
            case dict():
                return {name: await self._parts(part) for name, part in value.items()}
        return value

    async def _id_of(self, name: str, kind: str = "") -> str:
        """The identifier of an object by the row that made it, its right, entry or account."""
        what, _, of = name.rpartition(" of ")
        if of == ABSENT:
            return to_global_id(kind or "Organisation", uuid4())
        id = self.objects[of]
        if not what:
            return to_global_id(kind or _KINDS[of], id)
        found = await fetch_one(_RELATED[what], id)
        assert found is not None, name
        return to_global_id(what.capitalize(), UUID(str(found["id"])))


_RELATED = {
    "account": "SELECT id FROM account WHERE organisation_id = $1 AND kind = 'holding'",
    "certificate": "SELECT id FROM certificate WHERE transfer_id = $1",
    "entry": "SELECT entry_id AS id FROM certificate WHERE transfer_id = $1",
    "instrument": "SELECT instrument_id AS id FROM transfer WHERE id = $1",
}


def _answer(done: dict[str, Any]) -> Answer:
    if done["__typename"] == "Preview":
        unmet = [found["name"] for found in done["conditions"] if not found["met"]]
        if unmet:
            return Answer("unmet", {"": " & ".join(unmet)})
        return Answer("done", {"": (done["nextState"] or "").lower()})
    if done["code"] != "FORBIDDEN":
        return Answer(done["code"].replace("_", " ").lower(), {"": done.get("field") or ""})
    if done["rule"]:
        because = done["message"]["en"].partition(" forbids it: ")[2].removesuffix(".")
        return Answer("forbidden", {done["rule"]: because})
    misses = {
        miss["rule"]: "; ".join(said["en"] for said in (*miss["missing"], *miss["blocking"]))
        for miss in done["nearMisses"]
    }
    return Answer("no rule", misses or {"": ""})


def _verb(line: Scenario) -> Verb:
    verb = VOCABULARY.verb(line.kind, line.verb)
    assert verb is not None, f"{line.kind} has no verb {line.verb}"
    return verb
