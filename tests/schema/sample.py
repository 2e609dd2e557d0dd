"""A small API of two kinds, in memory, to try the framework of the real one."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, cast
from uuid import UUID, uuid4

import strawberry
from tortoise.models import Model

from policies.engine import Edition
from policies.rulebook import RuleBook
from policies.vocabulary import VOCABULARY
from registry.access.authorizer import authorizer
from registry.access.kinds import Fact, Kind, state_predicate
from registry.access.principals import Principal, Viewer
from registry.commands.operation import Operation
from registry.kernel.calendar import CHINA
from registry.kernel.parameters import Parameter
from registry.kernel.quantities import Money, Price, Quantity
from registry.reading.projections import bilingual
from schema.build import GovernedSchema, build_schema
from schema.documents.cost import Limits
from schema.framework.connections import Connection, PageInfo
from schema.framework.context import Context
from schema.framework.fields import column, relation
from schema.framework.governed import Governed
from schema.framework.mutations import governed_mutation
from schema.types import enums  # noqa: F401 - names the states

NOW = datetime(2022, 6, 7, 10, tzinfo=CHINA)
SELLER, BUYER = UUID(int=1), UUID(int=2)

BOOK = RuleBook.parse(
    {
        "roles.csv": "g, enterprise, participant\n",
        "rows.csv": """
p, T-01, allow, participant, view, Transfer, always, all; law | 法
p, T-02, allow, participant, offer, Transfer, own_sale & stage_draft, seller; law | 法
p, T-03, allow, participant, view_price, Transfer, own_sale, seller; law | 法
p, O-01, allow, participant, view, Organisation, always, all; law | 法
""",
    },
    VOCABULARY,
)
OTHERS = frozenset(
    (kind, verb.name)
    for kind, words in VOCABULARY.kinds.items()
    for verb in words.verbs
    if not verb.is_read and (kind, verb.name) != ("Transfer", "offer")
)


@dataclass
class TransferRow:
    """A record of the sample."""

    pk: UUID = field(default_factory=uuid4)
    seller_id: UUID = SELLER
    state: str = "draft"
    quantity: int = 356_418
    price_fen: int = 500_000
    agreed_on: date = date(2022, 6, 7)


TRANSFER = Kind(
    "Transfer",
    cast("type[Model]", TransferRow),
    {
        "own_sale": Fact(
            lambda viewer, sale: viewer.organisation == sale.seller_id,
            "t.seller_id = :organisation",
        ),
        "stage_draft": state_predicate("draft"),
    },
    masks={"view_price": ("price_fen",)},
)
ORGANISATION = Kind("Organisation", Model, {})


@strawberry.type(description="Organisation 单位.")
class Organisation(Governed):
    """A type of the sample."""

    KIND = ORGANISATION
    CAPTION = bilingual("{t}.name", "{t}.name")

    name: str = column("Its name 名称.")


@strawberry.type(description="Transfer 转让.")
class Transfer(Governed):
    """A type of the sample."""

    KIND = TRANSFER
    CAPTION = bilingual("{t}.state", "{t}.state")

    state: str = column("Its state 状态.")
    quantity: Quantity = column("How much 数量.", name="tonnes")
    price: Price | None = column("Price 单价.", name="price_fen")
    total: Money | None = column("Total 总价.", mask="view_price", name="total_fen")
    agreed_on: date = column("Day 日期.")
    seller: Organisation = relation("Seller 出让方.")


SALE = TransferRow()
Note = Annotated[str | None, Parameter("Note 备注.")]


@strawberry.type
class Query:
    """The sample's root of reading."""

    @strawberry.field(description="All transfers 全部转让.")
    def transfers(self, first: int | None = None) -> Connection[Transfer]:
        """None of them: rows are read by plans, which the sample has not."""
        del first
        info = PageInfo(
            has_next_page=False, has_previous_page=False, start_cursor=None, end_cursor=None
        )
        return Connection(edges=[], page_info=info, nodes=[], total_count=0)

    @strawberry.field(description="A bug 错误.")
    async def bug(self) -> int | None:
        """Raise an unexpected error."""
        raise ZeroDivisionError("postgresql://user:secret@host")

    @strawberry.field(description="An echo 回显.")
    def echo(
        self, quantity: Quantity | None = None, on: date | None = None, at: datetime | None = None
    ) -> str:
        """The parsed values."""
        return repr((quantity, on, at))


async def _offer(*_: object, note: Note = None) -> Any:  # noqa: ANN401 - never run here
    """Make an offer."""
    raise AssertionError(note)


OFFER: Operation[Any] = Operation("offer_transfer", TRANSFER, "offer", None, (), _offer)


@strawberry.type
class Mutation:
    """The sample's root of writing."""

    offer_transfer = governed_mutation(Transfer, OFFER)


def build_sample_schema(
    query: type = Query,
    mutation: type = Mutation,
    *,
    internal: frozenset[tuple[str, str]] = OTHERS,
    limits: Limits | None = None,
) -> GovernedSchema:
    """The sample's schema."""
    return build_schema(query, mutation, book=BOOK, internal_verbs=internal, limits=limits)


def build_context(organisation: UUID = SELLER) -> Context:
    """A request of an enterprise."""
    authorizer.activate(Edition(BOOK, 1))

    async def look_up(_: Principal) -> Viewer:
        return Viewer(role="enterprise", now=NOW, organisation=organisation)

    return Context(Principal(subject="wang"), viewer_lookup=look_up)
