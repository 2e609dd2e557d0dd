"""The lists that hang on an organisation too, declared before the types of their objects."""

from datetime import datetime

from registry.ledger.facts import ACCOUNT
from registry.ledger.rules import AccountKind
from registry.permits.facts import CONSTRUCTION_PROJECT, PERMIT
from registry.permits.rules import PermitCategory, PermitState, ProjectState
from registry.reading.keyset import Ordering
from registry.transfers.facts import TRANSFER
from registry.transfers.rules import State
from schema.framework.lists import FilterSpec, SharedList, TotalSpec
from schema.types import enums  # noqa: F401 - names the words that the lists are narrowed by

PERMITS = SharedList(
    PERMIT,
    "schema.types.permits",
    orders={
        "newest": Ordering("registered_at", datetime, descending=True),
        "number": Ordering("number", str),
    },
    where={
        "number": FilterSpec("Their number 许可证编号", "number"),
        "organisation": FilterSpec("The holder 持证单位", "organisation_id", kind="Organisation"),
        "city": FilterSpec("Code of the holder's city 设区市代码", "city"),
        "county": FilterSpec("Code of the holder's county 县代码", "county"),
        "category": FilterSpec(
            "How closely they are managed 管理类别", "category", words=PermitCategory
        ),
        "state": FilterSpec("Their state 状态", "state", words=PermitState),
    },
)
PROJECTS = SharedList(
    CONSTRUCTION_PROJECT,
    "schema.types.projects",
    orders={
        "newest": Ordering("registered_at", datetime, descending=True),
        "name": Ordering("name", str),
    },
    where={
        "organisation": FilterSpec(
            "The developer 建设单位", "organisation_id", kind="Organisation"
        ),
        "city": FilterSpec("Code of the city 设区市代码", "city"),
        "county": FilterSpec("Code of the county 县代码", "county"),
        "state": FilterSpec("Their state 状态", "state", words=ProjectState),
    },
)
ACCOUNTS = SharedList(
    ACCOUNT,
    "schema.types.accounts",
    orders={"kind": Ordering("kind", str)},
    where={
        "kind": FilterSpec("What they are for 账户类别", "kind", words=AccountKind),
        "organisation": FilterSpec(
            "Whose they are 所属单位", "organisation_id", kind="Organisation"
        ),
        "city": FilterSpec("Code of the city 设区市代码", "city"),
    },
)
TRANSFERS = SharedList(
    TRANSFER,
    "schema.types.transfers",
    orders={
        "newest": Ordering("drafted_at", datetime, descending=True),
        "changed": Ordering("changed_at", datetime, descending=True),
    },
    where={
        "state": FilterSpec(
            "State on record; what passed its deadline stands there until swept 登记状态",
            "state",
            words=State,
        ),
        "seller": FilterSpec("Who sells 出让方", "seller_id", kind="Organisation"),
        "buyer": FilterSpec("Who buys 受让方", "buyer_id", kind="Organisation"),
        "seller_city": FilterSpec("Code of the seller's city 出让方所在市代码", "seller_city"),
        "buyer_city": FilterSpec("Code of the buyer's city 受让方所在市代码", "buyer_city"),
        "drafted_at": FilterSpec("When it was drafted 起草时间", "drafted_at", is_time=True),
    },
    totals={
        "total_sum": TotalSpec(
            "What they come to, where this appointment may see the price 总价合计.", "sum_fen"
        )
    },
)
