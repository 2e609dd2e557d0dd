"""Every way to say no.

A refusal is data: a stable code, a message in two languages, whether a repetition can help, and -
where the rule
book, the law or a condition forbids - which one. Anything else that is raised is a bug.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from policies.rulebook import NearMiss
from policies.vocabulary import Text
from registry.kernel.legal_bases import REGISTRY, REGISTRY_RULE
from registry.kernel.words import DescribedEnum


class Code(DescribedEnum):
    """The reason of a refusal; codes never change 拒绝原因代码."""

    MALFORMED = "MALFORMED", "The input is malformed", "输入有误"
    SIGN_IN_REQUIRED = "SIGN_IN_REQUIRED", "No user is signed in", "须先登录"
    CLIENT_NOT_REGISTERED = (
        "CLIENT_NOT_REGISTERED",
        "The client program is not registered, or was revoked",
        "应用未登记或已撤销",
    )
    APPOINTMENT_REQUIRED = (
        "APPOINTMENT_REQUIRED",
        "No appointment in force was chosen",
        "须选择有效授权",
    )
    KEY_REUSED = "KEY_REUSED", "The idempotency key belongs to another command", "幂等键已被使用"
    NOT_FOUND = "NOT_FOUND", "No such object, or the viewer may not see it", "对象不存在或无权查看"
    FORBIDDEN = "FORBIDDEN", "No rule allows it, or a rule forbids it", "规则不允许"
    WRONG_STATE = "WRONG_STATE", "The object's state has no such step", "当前状态不可办理"
    CONDITIONS_UNMET = (
        "CONDITIONS_UNMET",
        "A requirement of the regulation is not met",
        "条件未满足",
    )
    INSUFFICIENT = "INSUFFICIENT", "The account holds too little", "余额不足"
    FROZEN = "FROZEN", "An account, organisation or position is frozen", "已被冻结"
    NOT_IN_FORCE = "NOT_IN_FORCE", "The right is outside its validity", "权利不在有效期内"
    DUPLICATE = "DUPLICATE", "It exists already", "重复"
    OVERLOADED = (
        "OVERLOADED",
        "Too much contention; send the same command again",
        "系统繁忙，请重试",
    )


def error_extensions(
    code: str, zh: str, *, retryable: bool = False, **named: object
) -> dict[str, object]:
    """The ``extensions`` of an error of any protocol; what is empty is left out."""
    more = {name: value for name, value in named.items() if value}
    return {"code": code, "messageZh": zh, "retryable": retryable, **more}


@dataclass(frozen=True, slots=True)
class Condition:
    """A rule of the concept, evaluated: what was asked, what was found, where it comes from."""

    name: str
    met: bool
    message: Text  # The finding, with the figures.
    legal_basis: Text = REGISTRY_RULE  # Law and article, or the parameter that carries the rule.
    # Where the facts were read (a table, a certificate, a declaration), with their date.
    source: Text = REGISTRY


def make_requirement(
    name: str,
    *,
    met: bool,
    unmet: Text,
    legal_basis: Text = REGISTRY_RULE,
    source: Text = REGISTRY,
) -> Condition:
    """A condition whose message says what is wrong, or that nothing is."""
    message = Text("This requirement is met.", "符合该条件。") if met else unmet
    return Condition(name, met, message, legal_basis, source)


class Refused(Exception):
    """A command or a question was refused, and nothing was changed."""

    code: Code
    retryable = False

    def __init__(self, message: Text, *, field: str = "", legal_basis: Text | None = None) -> None:
        super().__init__(message.en)
        self.message = message
        self.field = field
        self.legal_basis = legal_basis
        self.rule = ""
        self.near_misses: tuple[NearMiss, ...] = ()
        self.conditions: tuple[Condition, ...] = ()


class Malformed(Refused):
    """The input itself is wrong; ``field`` names the argument."""

    code = Code.MALFORMED

    def __init__(self, field: str, en: str, zh: str) -> None:
        super().__init__(Text(en, zh), field=field)


class SignInRequired(Refused):
    """The caller is not signed in, and the operation needs a person."""

    code = Code.SIGN_IN_REQUIRED

    def __init__(self) -> None:
        super().__init__(Text("Sign in to do this.", "请先登录后再办理。"))


class ClientNotRegistered(Refused):
    """The client program of the access token is not registered, or was revoked."""

    code = Code.CLIENT_NOT_REGISTERED

    def __init__(self, client: str) -> None:
        super().__init__(
            Text(
                f"The client program {client!r} is not registered, or was revoked.",
                f"应用“{client}”未登记或已撤销。",
            )
        )


class AppointmentRequired(Refused):
    """The person holds no appointment in force, or several and named none of them."""

    code = Code.APPOINTMENT_REQUIRED

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(Text(en, zh), field="Biandan-Appointment")


class KeyReused(Refused):
    """The idempotency key was used before for another command or other input."""

    code = Code.KEY_REUSED

    def __init__(self) -> None:
        super().__init__(
            Text(
                "This idempotency key was used for another command; choose a new one.",
                "该幂等键已用于其他操作，请更换。",
            ),
            field="idempotencyKey",
        )


class NotFound(Refused):
    """Absent, or invisible to the viewer; the answer is the same."""

    code = Code.NOT_FOUND

    def __init__(self, field: str = "id") -> None:
        super().__init__(
            Text("There is no such object for you.", "不存在该对象，或您无权查看。"), field=field
        )


class Forbidden(Refused):
    """The rule book does not allow it; carries the forbidding row or the nearest misses."""

    code = Code.FORBIDDEN

    def __init__(
        self,
        message: Text,
        *,
        rule: str = "",
        legal_basis: Text | None = None,
        near_misses: tuple[NearMiss, ...] = (),
    ) -> None:
        super().__init__(message, legal_basis=legal_basis)
        self.rule = rule
        self.near_misses = near_misses


class WrongState(Refused):
    """The object has no such step in its present state."""

    code = Code.WRONG_STATE


def _joined(texts: Iterable[Text]) -> Text | None:
    """The texts one after the other; None for none."""
    languages = tuple(zip(*texts, strict=True))
    return Text("; ".join(languages[0]), ";".join(languages[1])) if languages else None


class ConditionsUnmet(Refused):
    """Rules of the concept are not met; all of them were evaluated together."""

    code = Code.CONDITIONS_UNMET

    def __init__(self, conditions: tuple[Condition, ...]) -> None:
        unmet = [condition for condition in conditions if not condition.met]
        super().__init__(
            Text(
                " ".join(condition.message.en for condition in unmet),
                "".join(condition.message.zh for condition in unmet),
            ),
            legal_basis=_joined(dict.fromkeys(condition.legal_basis for condition in unmet)),
        )
        self.conditions = conditions


class Insufficient(Refused):
    """An account holds less than the posting takes; names account and instrument."""

    code = Code.INSUFFICIENT


class Frozen(Refused):
    """An account, party or position is frozen."""

    code = Code.FROZEN


class NotInForce(Refused):
    """The right is outside its period of validity."""

    code = Code.NOT_IN_FORCE


class Duplicate(Refused):
    """Something that must be unique exists already; ``field`` names it."""

    code = Code.DUPLICATE


class Overloaded(Refused):
    """Too much contention; nothing happened, and the command may be sent again with its key."""

    code = Code.OVERLOADED
    retryable = True

    def __init__(self, message: Text | None = None) -> None:
        super().__init__(
            message
            or Text(
                "The registry is busy with the same records; send the same command again.",
                "系统正在处理相同记录，请使用同一幂等键重试。",
            )
        )


class StorageFull(Overloaded):
    """The database's disk is full; nothing happened."""

    def __init__(self) -> None:
        super().__init__(
            Text(
                "The registry cannot store anything just now; send the same command again later.",
                "系统暂时无法存储数据，请稍后使用同一幂等键重试。",
            )
        )


class DatabaseUnreachable(Overloaded):
    """The database was lost from sight; whether a write happened, its repetition tells."""

    def __init__(self) -> None:
        super().__init__(
            Text(
                "The registry cannot reach its records just now; send the same command again.",
                "系统暂时无法访问登记数据，请使用同一幂等键重试。",
            )
        )
