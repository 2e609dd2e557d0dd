"""The words for accounts, freezes, reversals."""

from policies.vocabulary.shared import VIEW
from policies.word_types import APPROVE, INITIATE, ConceptWords, FactSpec, KindSpec, Text, Verb

KINDS: dict[str, KindSpec] = {
    "Account": KindSpec(
        Text("account", "账户"),
        (
            VIEW,
            Verb("view_money", Text("see the money in", "查看资金")),
            Verb(
                "open_reserve",
                Text("enter the opening stock of the reserve into", "登记储备期初库存"),
                duty=INITIATE,
            ),
            Verb(
                "open_holding",
                Text("enter an opening holding into", "登记期初持有量"),
                duty=INITIATE,
            ),
            Verb("pay_out", Text("pay out money from", "登记出金"), duty=INITIATE),
        ),
    ),
    "Freeze": KindSpec(
        Text("freeze", "冻结"),
        (
            VIEW,
            Verb("impose", Text("impose", "实施冻结"), duty=INITIATE, creates=True),
            Verb("lift", Text("lift", "解除冻结"), duty=APPROVE),
        ),
    ),
    "Reversal": KindSpec(
        Text("reversal", "冲正"),
        (
            VIEW,
            Verb("propose", Text("propose", "提出冲正"), duty=INITIATE, creates=True),
            Verb("approve", Text("approve", "批准冲正"), duty=APPROVE, creates_task=True),
            Verb("reject", Text("reject", "驳回冲正"), duty=APPROVE),
        ),
    ),
}

FACTS: dict[str, FactSpec] = {
    "shows_open_cases": FactSpec(
        Text("its money shows payments of open cases", "该账户资金涉及未办结的交易"),
        Text("its money shows no payment of an open case", "该账户资金不涉及未办结的交易"),
    ),
}

WORDS = ConceptWords(KINDS, FACTS)
