"""The invariants of the ledger, checked on the live tables.

Each check is one statement that returns the rows which violate it.
"""

from policies.vocabulary import Text
from registry.commands.concept import InvariantCheck

# Every posting twice, as each of its accounts sees it.
_POSTING_SIDES = """
    SELECT source AS account_id, instrument AS instrument_id, entry_id, line, -quantity AS change,
        source_sequence AS sequence, source_balance AS balance, recorded_at
    FROM posting
    UNION ALL
    SELECT target, instrument, entry_id, line, quantity, target_sequence, target_balance,
        recorded_at
    FROM posting
"""

_RECOMPUTED_BALANCES = f"""
    SELECT s.*,
        sum(change) OVER w AS replayed,
        row_number() OVER w AS place,
        lag(recorded_at) OVER w AS recorded_before
    FROM ({_POSTING_SIDES}) s
    WINDOW w AS (PARTITION BY account_id, instrument_id ORDER BY sequence, entry_id, line)
"""

LEDGER_INVARIANTS = (
    InvariantCheck(
        "sums_are_zero",
        Text("The accounts of every instrument sum to zero.", "每一标的各账户合计为零。"),
        """SELECT i.code, sum(b.quantity)::bigint AS sum
        FROM balance b JOIN instrument i ON i.id = b.instrument_id
        GROUP BY i.code HAVING sum(b.quantity) <> 0 ORDER BY i.code""",
    ),
    InvariantCheck(
        "no_holder_below_zero",
        Text("No holder is, or ever was, below zero.", "持有人余额任何时候不为负。"),
        f"""SELECT b.account_id, b.instrument_id, b.quantity, NULL::uuid AS entry_id
        FROM balance b JOIN account a ON a.id = b.account_id
        WHERE (b.quantity < 0 AND a.kind NOT IN ('issuance', 'outside')) OR a.issuer <> b.issuer
        UNION ALL
        SELECT s.account_id, s.instrument_id, s.balance, s.entry_id
        FROM ({_POSTING_SIDES}) s JOIN account a ON a.id = s.account_id
        WHERE s.balance < 0 AND a.kind NOT IN ('issuance', 'outside')""",
    ),
    InvariantCheck(
        "balances_equal_replay",
        Text("Every balance is what its postings add up to.", "余额等于全部分录之和。"),
        f"""SELECT coalesce(b.account_id, s.account_id) AS account_id,
            coalesce(b.instrument_id, s.instrument_id) AS instrument_id,
            b.quantity, s.quantity AS replayed, b.sequence, s.lines
        FROM balance b
        FULL JOIN (
            SELECT account_id, instrument_id, sum(change)::bigint AS quantity, count(*) AS lines,
                max(recorded_at) AS recorded_at
            FROM ({_POSTING_SIDES}) x GROUP BY account_id, instrument_id
        ) s ON s.account_id = b.account_id AND s.instrument_id = b.instrument_id
        WHERE b.quantity IS DISTINCT FROM coalesce(s.quantity, 0)
            OR b.sequence IS DISTINCT FROM coalesce(s.lines, 0)
            OR (s.lines > 0 AND b.recorded_at <> s.recorded_at)""",
    ),
    InvariantCheck(
        "running_balances_follow",
        Text(
            "Every line says the balance that follows from the lines before it.",
            "每一行余额由前序各行推得。",
        ),
        f"""SELECT account_id, instrument_id, entry_id, line, balance, replayed::bigint AS replayed
        FROM ({_RECOMPUTED_BALANCES}) r WHERE balance <> replayed""",
    ),
    InvariantCheck(
        "accounts_fit_their_holder",
        Text(
            "Reserves belong to the province and to cities, nothing else does.",
            "储备账户仅属于省、市主管部门。",
        ),
        """SELECT a.id AS account_id, a.kind, o.kind AS holder FROM account a
        JOIN organisation o ON o.id = a.organisation_id
        WHERE (a.kind = 'reserve') <> (o.kind IN ('province', 'city'))""",
    ),
    InvariantCheck(
        "sequences_have_no_gap",
        Text("The lines of a balance are numbered without gaps.", "分录序号连续无缺。"),
        f"""SELECT account_id, instrument_id, entry_id, line, sequence, place
        FROM ({_RECOMPUTED_BALANCES}) r WHERE sequence <> place""",
    ),
    InvariantCheck(
        "recorded_time_never_runs_back",
        Text("What is known later stands later.", "登记时间不倒退。"),
        f"""SELECT account_id, instrument_id, entry_id, line, recorded_at, recorded_before
        FROM ({_RECOMPUTED_BALANCES}) r WHERE recorded_at < recorded_before""",
    ),
    InvariantCheck(
        "entries_are_whole",
        Text(
            "Every entry has its lines, numbered from 1, at the entry's own times.",
            "每笔分录行号完整且时间一致。",
        ),
        """SELECT e.id AS entry_id, e.kind, count(p.line) AS lines, max(p.line) AS last
        FROM entry e LEFT JOIN posting p ON p.entry_id = e.id
        GROUP BY e.id, e.kind
        HAVING count(p.line) = 0 OR max(p.line) <> count(p.line) OR min(p.line) <> 1
            OR bool_or(p.recorded_at <> e.recorded_at OR p.effective_at <> e.effective_at)
        UNION ALL
        SELECT p.entry_id, NULL, 1, p.line FROM posting p
        WHERE NOT EXISTS (SELECT FROM entry e WHERE e.id = p.entry_id)""",
    ),
    InvariantCheck(
        "entries_have_their_act",
        Text("Every entry is the effect of one act.", "每笔分录对应一个行为记录。"),
        """SELECT e.id AS entry_id, e.audit_entry_id FROM entry e
        WHERE NOT EXISTS (SELECT FROM audit_entry a WHERE a.id = e.audit_entry_id)""",
    ),
    InvariantCheck(
        "acts_have_their_rule",
        Text(
            "Every act names a rule of its edition that allows.",
            "每一行为均依据有效版本的许可规则。",
        ),
        """SELECT a.id AS audit_entry_id, a.edition, a.rule FROM audit_entry a
        WHERE NOT EXISTS (
            SELECT FROM rule_line l
            WHERE l.edition = a.edition AND l.number = a.rule AND 'allow' = ANY (l.cells))""",
    ),
    InvariantCheck(
        "reversals_undo",
        Text(
            "A reversal takes from every holder what the entry gave, and gives back what it took.",
            "冲正与原分录逐户相抵。",
        ),
        f"""SELECT r.id AS entry_id, r.reverses, coalesce(a.organisation_id, a.id) AS holder,
            s.instrument_id, sum(s.change)::bigint AS left_over
        FROM entry r
        JOIN ({_POSTING_SIDES}) s ON s.entry_id IN (r.id, r.reverses)
        JOIN account a ON a.id = s.account_id
        WHERE r.kind = 'reversal'
        GROUP BY r.id, r.reverses, holder, s.instrument_id
        HAVING sum(s.change) <> 0""",
    ),
    InvariantCheck(
        "borders_are_kept",
        Text(
            "Rights begin and end in issuance alone, money comes and goes through the bank alone.",
            "权利仅经核发账户增减，资金仅经银行进出。",
        ),
        """SELECT p.entry_id, p.line, e.kind, s.kind AS source_kind, t.kind AS target_kind,
            CASE WHEN s.issuer THEN p.target ELSE p.source END AS account_id
        FROM posting p
        JOIN entry e ON e.id = p.entry_id
        JOIN instrument i ON i.id = p.instrument
        JOIN account s ON s.id = p.source
        JOIN account t ON t.id = p.target
        WHERE (s.issuer OR t.issuer) AND (
            (i.class = 'money') <> ('outside' IN (s.kind, t.kind))
            OR (s.issuer AND t.issuer)
            OR NOT CASE
                WHEN s.kind = 'issuance' THEN e.kind IN ('opening', 'conversion', 'reversal')
                WHEN t.kind = 'issuance' THEN e.kind IN ('expiry', 'conversion', 'reversal')
                WHEN s.kind = 'outside' THEN e.kind IN ('payment', 'reversal')
                ELSE e.kind IN ('payout', 'reversal') END)""",
    ),
    InvariantCheck(
        "money_has_its_bank_reference",
        Text(
            "Money that entered or left names one line of a bank statement.",
            "资金进出均有唯一银行流水号。",
        ),
        """SELECT e.id AS entry_id, b.reference, b.released_by
        FROM entry e LEFT JOIN bank_reference b ON b.entry_id = e.id
        WHERE (e.kind IN ('payment', 'payout')) <> (b.entry_id IS NOT NULL)
            OR b.released_by IS DISTINCT FROM CASE WHEN b.entry_id IS NOT NULL
                THEN (SELECT r.id FROM entry r WHERE r.reverses = e.id) END""",
    ),
    InvariantCheck(
        "caps_hold",
        Text(
            "No city holds more than the cap recorded for it.", "各市持有量不超过已登记的总量上限。"
        ),
        """SELECT c.city, c.pollutant, c.cap, held.quantity AS holds
        FROM city_cap c
        CROSS JOIN LATERAL (
            SELECT city_holds(c.city, c.pollutant, china_date(registry_now())) AS quantity) held
        WHERE held.quantity > c.cap AND c.effective_from = (
            SELECT max(d.effective_from) FROM city_cap d
            WHERE d.city = c.city AND d.pollutant = c.pollutant
                AND d.effective_from <= china_date(registry_now()))""",
    ),
)
"""The ledger's own checks, in the order in which they are shown."""
