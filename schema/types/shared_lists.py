"""The lists that hang on an organisation too, declared before the types of their objects."""

from datetime import datetime

from registry.ledger.facts import ACCOUNT
from registry.permits.facts import CONSTRUCTION_PROJECT, PERMIT
from registry.reading.keyset import Order
from registry.transfers.facts import TRANSFER
from schema.framework.lists import Belonging, By, Sum

PERMITS = Belonging(
    PERMIT,
    "schema.types.permits",
    orders={
        "newest": Order("registered_at", datetime, descending=True),
        "number": Order("number", str),
    },
    where={
        "number": By("Their number 许可证编号", "number"),
        "organisation": By("The holder 持证单位", "organisation_id", kind="Organisation"),
        "city": By("Code of the holder's city 设区市代码", "city"),
        "county": By("Code of the holder's county 县代码", "county"),
        "category": By("How closely they are managed 管理类别", "category"),
        "state": By("Their state 状态", "state"),
    },
)
PROJECTS = Belonging(
    CONSTRUCTION_PROJECT,
    "schema.types.projects",
    orders={
        "newest": Order("registered_at", datetime, descending=True),
        "name": Order("name", str),
    },
    where={
        "organisation": By("The developer 建设单位", "organisation_id", kind="Organisation"),
        "city": By("Code of the city 设区市代码", "city"),
        "county": By("Code of the county 县代码", "county"),
        "state": By("Their state 状态", "state"),
    },
)
ACCOUNTS = Belonging(
    ACCOUNT,
    "schema.types.accounts",
    orders={"kind": Order("kind", str)},
    where={
        "kind": By("What they are for 账户类别", "kind"),
        "organisation": By("Whose they are 所属单位", "organisation_id", kind="Organisation"),
        "city": By("Code of the city 设区市代码", "city"),
    },
)
TRANSFERS = Belonging(
    TRANSFER,
    "schema.types.transfers",
    orders={
        "newest": Order("drafted_at", datetime, descending=True),
        "changed": Order("changed_at", datetime, descending=True),
    },
    where={
        "state": By(
            "State on record; what passed its deadline stands there until swept 登记状态", "state"
        ),
        "seller": By("Who sells 出让方", "seller_id", kind="Organisation"),
        "buyer": By("Who buys 受让方", "buyer_id", kind="Organisation"),
        "seller_city": By("Code of the seller's city 出让方所在市代码", "seller_city"),
        "buyer_city": By("Code of the buyer's city 受让方所在市代码", "buyer_city"),
        "drafted_at": By("When it was drafted 起草时间", "drafted_at", time=True),
    },
    sums={
        "total_sum": Sum(
            "What they come to, where this appointment may see the price 总价合计.", "sum_fen"
        )
    },
)
