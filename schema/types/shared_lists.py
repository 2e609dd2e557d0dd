"""The lists that hang on an organisation too, declared before the types of their objects."""

from datetime import datetime

from registry.ledger.facts import ACCOUNT
from registry.ledger.rules import AccountKind
from registry.permits.facts import CONSTRUCTION_PROJECT, PERMIT
from registry.permits.rules import PermitCategory, PermitState, ProjectState
from registry.reading.keyset import Ordering
from registry.transfers.facts import TRANSFER
from registry.transfers.projections import STATE
from registry.transfers.rules import State
from schema.framework.lists import (
    DateFilter,
    FilterSpec,
    NameFilter,
    PriceFilter,
    QuantityFilter,
    SharedList,
    TimeFilter,
    TotalSpec,
)
from schema.types import enums  # noqa: F401 - names the words that the lists are narrowed by

PERMITS = SharedList(
    PERMIT.name,
    "schema.types.permits",
    orders={
        "newest": Ordering("registered_at", datetime, descending=True),
        "number": Ordering("number", str),
    },
    where={
        "number": FilterSpec("Their number or a part of it 许可证编号", "number", form=NameFilter),
        "valid_until": FilterSpec("Last day 有效期截止日", "valid_until", form=DateFilter),
        "organisation": FilterSpec("The holder 持证单位", "organisation_id", kind="Organisation"),
        "city": FilterSpec("Code of the holder's city 设区的市代码", "city", codes="Division"),
        "county": FilterSpec("Code of the holder's county 县代码", "county", codes="Division"),
        "category": FilterSpec(
            "How closely they are managed 管理类别", "category", words=PermitCategory
        ),
        "state": FilterSpec("Their state 状态", "state", words=PermitState),
    },
)
PROJECTS = SharedList(
    CONSTRUCTION_PROJECT.name,
    "schema.types.projects",
    orders={
        "newest": Ordering("registered_at", datetime, descending=True),
        "name": Ordering("name", str),
    },
    where={
        "name": FilterSpec(
            "Name or a part of it 项目名称", "name", form=NameFilter, expression="{t}.name_form"
        ),
        "organisation": FilterSpec(
            "The developer 建设单位", "organisation_id", kind="Organisation"
        ),
        "city": FilterSpec("Code of the city 设区的市代码", "city", codes="Division"),
        "county": FilterSpec("Code of the county 县代码", "county", codes="Division"),
        "state": FilterSpec("Their state 状态", "state", words=ProjectState),
    },
)
ACCOUNTS = SharedList(
    ACCOUNT.name,
    "schema.types.accounts",
    orders={"kind": Ordering("kind", str), "city": Ordering("city", str)},
    where={
        "kind": FilterSpec("Their purposes 账户类别", "kind", words=AccountKind),
        "organisation": FilterSpec(
            "Whose they are 所属单位", "organisation_id", kind="Organisation"
        ),
        "city": FilterSpec("Code of the city 设区的市代码", "city", codes="Division"),
    },
)
TRANSFERS = SharedList(
    TRANSFER.name,
    "schema.types.transfers",
    orders={
        "newest": Ordering("drafted_at", datetime, descending=True),
        "changed": Ordering("changed_at", datetime, descending=True),
        "oldest": Ordering("drafted_at", datetime),
    },
    where={
        "state": FilterSpec(
            "State as of now 当前状态",
            "state",
            words=State,
            expression=STATE.sql,
            index_condition="({t}.state {match} OR {t}.deadline_at < :now)",
        ),
        "seller": FilterSpec("The seller 出让方", "seller_id", kind="Organisation"),
        "buyer": FilterSpec("The buyer 受让方", "buyer_id", kind="Organisation"),
        "seller_city": FilterSpec(
            "Code of the seller's city 出让方所在市代码", "seller_city", codes="Division"
        ),
        "buyer_city": FilterSpec(
            "Code of the buyer's city 受让方所在市代码", "buyer_city", codes="Division"
        ),
        "case_number": FilterSpec("Number of the case 受理编号", "case_number", is_number=True),
        "pollutant": FilterSpec(
            "Code of the pollutant 污染物代码",
            "instrument_id",
            codes="Pollutant",
            expression="(SELECT i.pollutant FROM instrument i WHERE i.id = {t}.instrument_id)",
        ),
        "quantity": FilterSpec(
            "Quantity in the instrument's unit 数量",
            "quantity",
            form=QuantityFilter,
            expression="{t}.quantity / (10::numeric ^"
            " (SELECT i.scale FROM instrument i WHERE i.id = {t}.instrument_id))",
        ),
        "price": FilterSpec("Yuan for one unit 单价", "price_fen", form=PriceFilter),
        "drafted_at": FilterSpec("When it was drafted 起草时间", "drafted_at", form=TimeFilter),
    },
    totals={
        "total_sum": TotalSpec(
            "Their total price, where this appointment may see it 总价合计.", "sum_fen"
        )
    },
)
