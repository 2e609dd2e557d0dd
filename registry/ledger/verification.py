"""``biandan verify``: runs the invariant checks of all concepts, and freezes offending accounts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from policies.vocabulary import Text
from registry.access.kinds import Kind
from registry.access.principals import SYSTEM_PRINCIPAL
from registry.access.rulebook_store import damaged_editions
from registry.commands.command import execute_command
from registry.commands.concept import Concept, InvariantCheck
from registry.commands.operation import Operation
from registry.db.migrations.grants import SHARED_GRANTS
from registry.db.schema_fingerprints import fingerprint_check_sql, privilege_check_sql
from registry.db.session import fetch_all, fetch_one, read_only_transaction
from registry.db.tortoise_engine import meta_of
from registry.ledger.operations import impose_freeze

MAX_VIOLATIONS = 100
"""Maximum number of rows that a result names."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of a check."""

    check: str
    claim: Text
    # The offending rows, at most ``MAX_VIOLATIONS``; none where the claim holds.
    violations: tuple[dict[str, Any], ...]
    more: bool = False  # There are others.

    @property
    def is_satisfied(self) -> bool:
        return not self.violations


def _postings_exist_check(operations: Iterable[Operation[Any]]) -> InvariantCheck:
    posting = sorted((each.kind.name, each.verb) for each in operations if each.posts)
    wanted = ", ".join(f"('{kind}', '{verb}')" for kind, verb in posting)
    return InvariantCheck(
        "acts_have_their_effect",
        Text("Every act that moves something has its entry.", "每一产生变动的行为均有分录。"),
        f"""SELECT a.id AS audit_entry_id, a.kind, a.verb FROM audit_entry a
        WHERE (a.kind, a.verb) IN ({wanted})
            AND NOT EXISTS (SELECT FROM entry e WHERE e.audit_entry_id = a.id)""",
    )


def _states_match_log_check(kinds: Iterable[Kind]) -> InvariantCheck:
    """Over every kind that has a state."""
    tables = {kind.name: meta_of(kind.record) for kind in kinds}
    each = " UNION ALL ".join(
        f"SELECT '{name}' AS kind, id, state FROM {meta.db_table}"
        for name, meta in sorted(tables.items())
        if "state" in meta.fields_map
    )
    return InvariantCheck(
        "states_follow_acts",
        Text(
            "Every object is in the state its newest act brought it to.",
            "每一对象的状态与其最近一次操作记录一致。",
        ),
        f"""SELECT o.kind, o.id AS object_id, o.state, a.state_after FROM ({each}) o
        CROSS JOIN LATERAL (
            SELECT state_after FROM audit_entry WHERE object_id = o.id AND state_after IS NOT NULL
            ORDER BY written_at DESC LIMIT 1) a
        WHERE a.state_after <> o.state""",
    )


def _schema_checks(concepts: Sequence[Concept]) -> tuple[InvariantCheck, ...]:
    """Tables, functions and privileges are those that the migrations made."""
    grants = reduce(or_, (concept.grants for concept in concepts), SHARED_GRANTS)
    return (
        InvariantCheck(
            "schema_as_migrated",
            Text(
                "Tables, constraints, triggers, indexes and functions are those of the migrations.",
                "数据表、约束、触发器、索引与函数均与迁移脚本一致。",
            ),
            fingerprint_check_sql(),
        ),
        InvariantCheck(
            "privileges_as_migrated",
            Text(
                "Each role has the privileges that the migrations gave it.",
                "各数据库角色的权限均与迁移脚本一致。",
            ),
            privilege_check_sql(grants),
        ),
    )


def all_checks(concepts: Sequence[Concept]) -> tuple[InvariantCheck, ...]:
    """The checks that the concepts declare, and those that follow from their operations."""
    declared = [check for concept in concepts for check in concept.invariants]
    operations = [each for concept in concepts for each in concept.operations.values()]
    kinds = {each.kind.name: each.kind for each in operations}.values()
    return (
        *_schema_checks(concepts),
        *declared,
        _postings_exist_check(operations),
        _states_match_log_check(kinds),
    )


async def verify(concepts: Sequence[Concept]) -> tuple[CheckResult, ...]:
    """One result for each check, all in one snapshot. Reads every posting, changes nothing."""
    async with read_only_transaction():
        results = [await _run_check(check) for check in all_checks(concepts)]
        return (await _check_rulebooks(), *results)


async def _check_rulebooks() -> CheckResult:
    damaged = await damaged_editions()
    return CheckResult(
        "rule_book_matches_digest",
        Text(
            "The lines of each edition of the rule book yield its digest.",
            "权限规则各版本的内容与其摘要一致。",
        ),
        tuple(damaged[:MAX_VIOLATIONS]),
        more=len(damaged) > MAX_VIOLATIONS,
    )


async def _run_check(check: InvariantCheck) -> CheckResult:
    found = await fetch_all(f"SELECT * FROM ({check.sql}) AS offence LIMIT {MAX_VIOLATIONS + 1}")
    return CheckResult(
        check.name, check.claim, tuple(found[:MAX_VIOLATIONS]), more=len(found) > MAX_VIOLATIONS
    )


_UNFROZEN_ACCOUNTS = """
    SELECT a.id FROM account a
    WHERE a.id = ANY($1::uuid[]) AND a.organisation_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM freeze_order f WHERE f.account_id = a.id AND f.instrument_id IS NULL
            AND f.state = 'in_force' AND f.ends_at IS NULL)
    ORDER BY a.id
"""


async def freeze_offenders(results: Iterable[CheckResult]) -> tuple[UUID, ...]:
    """Freeze the accounts that the findings name and that are not frozen yet; those accounts."""
    named = {
        offence["account_id"]: finding.check
        for finding in results
        for offence in finding.violations
        if offence.get("account_id")
    }
    blocked = [found["id"] for found in await fetch_all(_UNFROZEN_ACCOUNTS, list(named))]
    for account in blocked:
        await execute_command(
            impose_freeze,
            SYSTEM_PRINCIPAL,
            {
                "account": account,
                "reason": f"The ledger does not verify: {named[account]}.",
                "source": "biandan verify",
            },
            key=f"verify-{account}-{await _run_timestamp()}",
        )
    return tuple(blocked)


async def _run_timestamp() -> str:
    """Tells one run from another that comes after the freeze of the first was lifted."""
    found = await fetch_one("SELECT registry_now() AS now")
    assert found is not None, "the clock answers one row"
    return str(found["now"].isoformat())
