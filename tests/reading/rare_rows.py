"""Rows of every kind that the demonstrations have none or few of, written as the owner of them."""

import asyncpg

_MILESTONES = """
    INSERT INTO milestone (id, agreement_id, position, title, due_on, state, reached_on, note,
        sha256, links, planned_at, changed_at)
    SELECT gen_random_uuid(), a.id, n, 'milestone ' || n, DATE '2022-06-07' + n,
        CASE WHEN n < 3 THEN 'planned' ELSE 'reached' END,
        CASE WHEN n < 3 THEN NULL ELSE DATE '2022-06-07' END,
        CASE n WHEN 3 THEN 'said' ELSE '' END,
        CASE n WHEN 4 THEN repeat('0a', 32) END,
        CASE n WHEN 5 THEN (
            SELECT jsonb_agg(jsonb_build_object('kind', kind, 'id', id)) FROM (
                (SELECT 'Transfer' AS kind, id FROM transfer LIMIT 4)
                UNION ALL (SELECT 'Permit', id FROM permit LIMIT 2)
                UNION ALL (SELECT 'Account', id FROM account LIMIT 2)
                UNION ALL (SELECT 'Organisation', id FROM organisation LIMIT 2)
                UNION ALL VALUES ('Permit', gen_random_uuid()), ('Entry', gen_random_uuid())
            ) AS linked) ELSE '[]' END,
        now(), now()
    FROM agreement a, generate_series(1, 5) AS n
"""
_REVERSALS = """
    INSERT INTO reversal (id, entry_id, state, reason, decision, parties, submitted_by,
        submitting_organisation, signatories, demo, changed_at)
    SELECT gen_random_uuid(), e.id, CASE WHEN n % 2 = 0 THEN 'proposed' ELSE 'rejected' END,
        'a reason', '', ARRAY[p.organisation_id], p.id, p.organisation_id, ARRAY[p.id], true, now()
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM entry) AS e
    JOIN (SELECT *, row_number() OVER (ORDER BY id) AS m FROM person) AS p ON p.m = e.n
    WHERE e.n <= 12
"""
_ASSESSMENTS = """
    INSERT INTO environment_assessment (id, city, year, medium, quality_attained,
        reduction_task_done, improvement_target_met, source, demo, changed_at)
    SELECT gen_random_uuid(), d.code, y, m, y % 2 = 0, true, false, 'a source', true, now()
    FROM (SELECT code FROM division WHERE level = 'city' ORDER BY code LIMIT 3) AS d,
        (VALUES (2000), (2021), (2200)) AS years (y), (VALUES ('air'), ('water')) AS media (m)
    ON CONFLICT DO NOTHING
"""
_CONFIRMATIONS = """
    INSERT INTO parameter_confirmation
        (id, parameter_id, value, document_number, source, demo, changed_at)
    SELECT gen_random_uuid(), id, value, 'a document', 'a source', true, now()
    FROM parameter WHERE demo LIMIT 3
"""
_DOCUMENTS = """
    INSERT INTO persisted_query (client_id, sha256, text, registered_at, retired_at)
    SELECT c.id, encode(sha256(convert_to(said, 'UTF8')), 'hex'), said,
        TIMESTAMPTZ '2022-06-01T00:00:00.25Z' + n * INTERVAL '1 hour',
        CASE n WHEN 2 THEN TIMESTAMPTZ '2022-06-07T00:00:00Z' END
    FROM client c, generate_series(1, 3) AS n,
        LATERAL (SELECT '{ k' || n || ': __typename } # 扁担' || c.id AS said) AS t
"""
_OPINIONS = """
    INSERT INTO transfer_opinion
        (id, transfer_id, city, favourable, reasons, audit_entry_id, given_at)
    SELECT gen_random_uuid(), t.id, city, t.seller_city = city, 'reasons', a.id, now()
    FROM (SELECT * FROM transfer ORDER BY id LIMIT 6) AS t,
        (VALUES ('131000'), ('130200')) AS cities (city),
        (SELECT id FROM audit_entry LIMIT 1) AS a
    ON CONFLICT DO NOTHING
"""
_SANCTIONS = """
    INSERT INTO sanction (id, organisation_id, city, county, kind, reason, source, starts_at,
        ends_at, state, submitted_by, submitting_organisation, demo, changed_at)
    SELECT gen_random_uuid(), o.id, o.city, o.county, 'penalty_period', 'a reason', 'a source',
        c.base_time - INTERVAL '1 day',
        CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN c.base_time
            WHEN 2 THEN c.base_time + INTERVAL '1 hour' END,
        'in_force', p.id, p.organisation_id, true, now()
    FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM organisation) AS o,
        (SELECT * FROM person ORDER BY id LIMIT 1) AS p, registry_clock AS c
    WHERE o.n % 4 = 0
"""
_FREEZES = """
    INSERT INTO freeze_order (id, target, organisation_id, account_id, instrument_id, reason,
        source, starts_at, ends_at, state, lifted_reason, city, county, submitted_by,
        submitting_organisation, demo, changed_at)
    SELECT gen_random_uuid(), CASE n % 2 WHEN 0 THEN 'account' ELSE 'position' END,
        a.organisation_id, a.id, CASE n % 2 WHEN 0 THEN NULL ELSE b.instrument_id END,
        'a reason', 'a source', c.base_time - INTERVAL '1 day',
        CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN c.base_time
            ELSE c.base_time + INTERVAL '1 hour' END,
        'in_force', '', a.city, a.county, gen_random_uuid(), a.organisation_id, true, now()
    FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM account) AS a
    JOIN LATERAL (SELECT * FROM balance WHERE account_id = a.id LIMIT 1) AS b ON true,
        registry_clock AS c
    WHERE a.organisation_id IS NOT NULL AND a.n % 3 = 0
"""
_CLIENTS = """
    INSERT INTO client (id, name, organisation_id, first_party, scopes, state, demo, changed_at,
        persisted_queries_only)
    SELECT gen_random_uuid(), 'client-' || n, o.id, false,
        ARRAY['Permit:view', 'ConstructionProject:view'], 'open', true, now(), n % 2 = 0
    FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM organisation) AS o WHERE n <= 3
"""
_TIES = """
    UPDATE organisation SET registered_at = '2022-06-07T10:00:00.5+08' WHERE city = '131000';
    UPDATE permit SET registered_at = '2022-06-07T10:00:00+08';
    UPDATE transfer SET drafted_at = '2022-06-07T10:00:00.000001+08' WHERE state = 'settled';
    UPDATE appointment SET changed_at = '2022-06-07T10:00:00+08' WHERE state = 'in_force';
"""
"""Rows that an order does not tell apart: their keys do."""


async def add_rows(owner: asyncpg.Connection) -> None:
    """Some rows of every kind; the triggers that keep rows in order are off."""
    # Clients come first: documents hang on them.
    for sql in (_CLIENTS, _DOCUMENTS, _MILESTONES, _REVERSALS, _ASSESSMENTS,
                _CONFIRMATIONS, _OPINIONS,
                _SANCTIONS, _FREEZES, _TIES):  # fmt: skip
        await owner.execute(sql)
