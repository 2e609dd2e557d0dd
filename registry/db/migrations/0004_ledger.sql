-- The ledger: instruments, accounts, balances, and every entry ever posted.
-- Balances and postings are written by post_entry alone; the application role can only read them.

CREATE TABLE instrument (
    id uuid CONSTRAINT instrument_pkey PRIMARY KEY,
    -- Codes and units go into answers without an escape.
    code text NOT NULL CONSTRAINT instrument_code_plain CHECK (code ~ '^[0-9A-Z-]+$'),
    class text NOT NULL,
    pollutant text,
    origin_city text,
    basin text,
    acquisition text,
    valid_from date,
    valid_until date,
    unit text NOT NULL CONSTRAINT instrument_unit_plain CHECK (unit ~ '^[0-9A-Za-z]+$'),
    scale smallint NOT NULL,
    demo boolean NOT NULL DEFAULT false,
    CONSTRAINT instrument_code_unique UNIQUE (code),
    CONSTRAINT instrument_identity UNIQUE NULLS NOT DISTINCT
        (class, pollutant, origin_city, basin, acquisition, valid_from, valid_until, unit, demo),
    CONSTRAINT instrument_pollutant_known FOREIGN KEY (pollutant) REFERENCES pollutant (code),
    CONSTRAINT instrument_origin_known FOREIGN KEY (origin_city) REFERENCES division (code),
    CONSTRAINT instrument_class_known CHECK (class IN ('right', 'money', 'unit')),
    CONSTRAINT instrument_acquisition_known CHECK (acquisition IN ('PAID', 'FREE')),
    CONSTRAINT instrument_basin_known CHECK (basin IN ('liao', 'hai', 'inland')),
    CONSTRAINT instrument_scale_bounded CHECK (scale BETWEEN 0 AND 6),
    CONSTRAINT instrument_period_ordered CHECK (valid_from IS NULL OR valid_until IS NULL OR valid_from <= valid_until),
    CONSTRAINT instrument_right_complete CHECK (
        class <> 'right' OR num_nulls(pollutant, origin_city, acquisition) = 0),
    CONSTRAINT instrument_money_plain CHECK (
        class <> 'money'
        OR num_nonnulls(pollutant, origin_city, basin, acquisition, valid_from, valid_until) = 0)
);
COMMENT ON COLUMN instrument.scale IS
    'what 1 means: decimals of the unit; 3 where 1 is a kilogram of a tonne, 2 where 1 is a fen of a yuan';

CREATE TRIGGER instrument_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON instrument
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE account (
    id uuid CONSTRAINT account_pkey PRIMARY KEY,
    organisation_id uuid,
    kind text NOT NULL,
    issuer boolean NOT NULL DEFAULT false,
    city text NOT NULL DEFAULT '' CONSTRAINT account_city_code CHECK (city ~ '^([1-9][0-9]{5})?$'),
    county text NOT NULL DEFAULT '',
    CONSTRAINT account_one_of_a_kind UNIQUE NULLS NOT DISTINCT (organisation_id, kind),
    CONSTRAINT account_issuer_copied UNIQUE (id, issuer),
    CONSTRAINT account_organisation_known FOREIGN KEY (organisation_id) REFERENCES organisation (id),
    CONSTRAINT account_kind_known CHECK (kind IN ('holding', 'escrow', 'reserve', 'issuance', 'outside')),
    CONSTRAINT account_issuer_by_kind CHECK (issuer = (kind IN ('issuance', 'outside'))),
    CONSTRAINT account_issuer_without_holder CHECK (issuer = (organisation_id IS NULL))
);

-- The two sides from which everything comes. They go below zero by as much as is in circulation, so that all
-- accounts of an instrument always sum to zero.
INSERT INTO account (id, kind, issuer) VALUES
    ('00000000-0000-4000-8000-000000000001', 'issuance', true),
    ('00000000-0000-4000-8000-000000000002', 'outside', true);

INSERT INTO instrument (id, code, class, unit, scale) VALUES
    ('00000000-0000-4000-8000-000000000003', 'CNY', 'money', 'yuan', 2);

CREATE TABLE balance (
    account_id uuid NOT NULL,
    instrument_id uuid NOT NULL,
    quantity bigint NOT NULL,
    issuer boolean NOT NULL,
    sequence bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT balance_pkey PRIMARY KEY (account_id, instrument_id),
    CONSTRAINT balance_issuer_copied FOREIGN KEY (account_id, issuer) REFERENCES account (id, issuer),
    CONSTRAINT balance_instrument_known FOREIGN KEY (instrument_id) REFERENCES instrument (id),
    CONSTRAINT balance_not_negative CHECK (issuer OR quantity >= 0),
    CONSTRAINT balance_sequence_counts CHECK (sequence >= 0)
) WITH (fillfactor = 70);
CREATE INDEX balance_by_instrument ON balance (instrument_id);

CREATE TABLE entry (
    id uuid CONSTRAINT entry_pkey PRIMARY KEY,
    audit_entry_id uuid NOT NULL,
    kind text NOT NULL,
    recorded_at timestamptz NOT NULL,
    effective_at timestamptz NOT NULL,
    reverses uuid,
    note text NOT NULL DEFAULT '',
    source text,
    demo boolean NOT NULL DEFAULT false,
    -- The audit entry is written after its operation has run, so the reference is checked at commit.
    CONSTRAINT entry_audit_entry_known FOREIGN KEY (audit_entry_id) REFERENCES audit_entry (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT entry_reverses_known FOREIGN KEY (reverses) REFERENCES entry (id),
    CONSTRAINT entry_reversed_once UNIQUE (reverses),
    CONSTRAINT entry_kind_known CHECK (kind IN ('opening', 'block', 'release', 'payment', 'payout',
        'settlement', 'refund', 'reversal', 'expiry', 'conversion')),
    CONSTRAINT entry_reversal_names_entry CHECK ((kind = 'reversal') = (reverses IS NOT NULL)),
    CONSTRAINT entry_not_ahead_of_time CHECK (effective_at <= recorded_at),
    CONSTRAINT entry_source_said CHECK (source <> '')
);
CREATE INDEX entry_by_audit_entry ON entry (audit_entry_id);
CREATE INDEX entry_by_time ON entry (recorded_at, id);

-- recorded_at is part of every key, so that the table can be partitioned by time without a change to its readers.
CREATE TABLE posting (
    entry_id uuid NOT NULL,
    line smallint NOT NULL,
    source uuid NOT NULL,
    target uuid NOT NULL,
    instrument uuid NOT NULL,
    quantity bigint NOT NULL,
    source_sequence bigint NOT NULL,
    source_balance bigint NOT NULL,
    target_sequence bigint NOT NULL,
    target_balance bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    effective_at timestamptz NOT NULL,
    CONSTRAINT posting_pkey PRIMARY KEY (entry_id, line, recorded_at),
    CONSTRAINT posting_entry_known FOREIGN KEY (entry_id) REFERENCES entry (id),
    CONSTRAINT posting_source_known FOREIGN KEY (source, instrument) REFERENCES balance (account_id, instrument_id),
    CONSTRAINT posting_target_known FOREIGN KEY (target, instrument) REFERENCES balance (account_id, instrument_id),
    CONSTRAINT posting_quantity_positive CHECK (quantity > 0),
    -- Largest sum there may be; sums of many postings stay within bigint.
    CONSTRAINT posting_quantity_bounded CHECK (quantity <= 1000000000000000),
    CONSTRAINT posting_moves CHECK (source <> target),
    CONSTRAINT posting_line_counts CHECK (line > 0)
);
CREATE UNIQUE INDEX posting_source_as_recorded ON posting (source, instrument, recorded_at, source_sequence)
    INCLUDE (source_balance);
CREATE UNIQUE INDEX posting_target_as_recorded ON posting (target, instrument, recorded_at, target_sequence)
    INCLUDE (target_balance);
CREATE INDEX posting_source_as_effective ON posting (source, instrument, effective_at) INCLUDE (quantity, recorded_at);
CREATE INDEX posting_target_as_effective ON posting (target, instrument, effective_at) INCLUDE (quantity, recorded_at);

CREATE TRIGGER entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entry
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER posting_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON posting
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- One line of a bank statement is recorded once; a reversal of the record gives it back.
CREATE TABLE bank_reference (
    entry_id uuid CONSTRAINT bank_reference_pkey PRIMARY KEY,
    reference text NOT NULL,
    released_by uuid,
    CONSTRAINT bank_reference_entry_known FOREIGN KEY (entry_id) REFERENCES entry (id),
    CONSTRAINT bank_reference_release_known FOREIGN KEY (released_by) REFERENCES entry (id),
    CONSTRAINT bank_reference_said CHECK (reference <> '')
);
CREATE UNIQUE INDEX bank_reference_unique ON bank_reference (reference) WHERE released_by IS NULL;

-- Nothing leaves what is frozen: a whole organisation, one account, or one instrument in one account.
CREATE TABLE freeze_order (
    id uuid CONSTRAINT freeze_order_pkey PRIMARY KEY,
    target text NOT NULL,
    organisation_id uuid NOT NULL,
    account_id uuid,
    instrument_id uuid,
    reason text NOT NULL,
    source text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz,
    state text NOT NULL,
    lifted_at timestamptz,
    lifted_reason text NOT NULL DEFAULT '',
    city text NOT NULL,
    county text NOT NULL,
    submitted_by uuid NOT NULL,
    submitting_organisation uuid NOT NULL,
    demo boolean NOT NULL DEFAULT false,
    changed_at timestamptz NOT NULL,
    CONSTRAINT freeze_order_organisation_known FOREIGN KEY (organisation_id) REFERENCES organisation (id),
    CONSTRAINT freeze_order_account_known FOREIGN KEY (account_id) REFERENCES account (id),
    CONSTRAINT freeze_order_instrument_known FOREIGN KEY (instrument_id) REFERENCES instrument (id),
    CONSTRAINT freeze_order_target_known CHECK (target IN ('organisation', 'account', 'position')),
    CONSTRAINT freeze_order_target_complete CHECK (
        (account_id IS NOT NULL) = (target <> 'organisation')
        AND (instrument_id IS NOT NULL) = (target = 'position')),
    CONSTRAINT freeze_order_state_known CHECK (state IN ('in_force', 'lifted')),
    CONSTRAINT freeze_order_lifted CHECK ((lifted_at IS NOT NULL) = (state = 'lifted')),
    CONSTRAINT freeze_order_period_ordered CHECK (ends_at > starts_at),
    CONSTRAINT freeze_order_reason_said CHECK (reason <> '' AND source <> '')
);
CREATE INDEX freeze_order_by_organisation ON freeze_order (organisation_id) WHERE lifted_at IS NULL;
CREATE TRIGGER freeze_order_epoch AFTER INSERT OR UPDATE OR DELETE ON freeze_order
    FOR EACH STATEMENT EXECUTE FUNCTION step_access_epoch();

-- Accounts and freezes carry the place of their organisation, so that a fact about them needs no join. The copy is
-- the database's own business, and whose a row is never changes.
CREATE FUNCTION keep_organisation_place() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.organisation_id IS DISTINCT FROM OLD.organisation_id THEN
        RAISE EXCEPTION '% cannot change hands', TG_TABLE_NAME USING ERRCODE = 'BD009';
    END IF;
    IF NEW.organisation_id IS NOT NULL THEN
        SELECT o.city, o.county INTO NEW.city, NEW.county FROM organisation o WHERE o.id = NEW.organisation_id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER account_place_kept BEFORE INSERT OR UPDATE ON account
    FOR EACH ROW EXECUTE FUNCTION keep_organisation_place();
CREATE TRIGGER account_kept BEFORE UPDATE ON account
    FOR EACH ROW EXECUTE FUNCTION keep_columns('id', 'organisation_id', 'kind', 'issuer');
CREATE TRIGGER freeze_order_kept BEFORE UPDATE ON freeze_order
    FOR EACH ROW EXECUTE FUNCTION keep_columns('id', 'target', 'organisation_id', 'account_id', 'instrument_id',
        'reason', 'source', 'starts_at', 'ends_at', 'submitted_by', 'submitting_organisation');
CREATE TRIGGER freeze_order_place_kept BEFORE INSERT OR UPDATE ON freeze_order
    FOR EACH ROW EXECUTE FUNCTION keep_organisation_place();

CREATE FUNCTION pass_organisation_place_on() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE account SET city = NEW.city WHERE organisation_id = NEW.id;
    UPDATE freeze_order SET city = NEW.city WHERE organisation_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER organisation_place_passed_on AFTER UPDATE OF city, county ON organisation
    FOR EACH ROW WHEN ((OLD.city, OLD.county) IS DISTINCT FROM (NEW.city, NEW.county))
    EXECUTE FUNCTION pass_organisation_place_on();

CREATE TABLE reversal (
    id uuid CONSTRAINT reversal_pkey PRIMARY KEY,
    entry_id uuid NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    decision text NOT NULL DEFAULT '',
    reversing_entry_id uuid,
    parties uuid[] NOT NULL CONSTRAINT reversal_parties_named CHECK (array_position(parties, NULL) IS NULL),
    submitted_by uuid NOT NULL,
    submitting_organisation uuid NOT NULL,
    signatories uuid[] NOT NULL
        CONSTRAINT reversal_signatories_named CHECK (array_position(signatories, NULL) IS NULL),
    demo boolean NOT NULL DEFAULT false,
    changed_at timestamptz NOT NULL,
    CONSTRAINT reversal_entry_known FOREIGN KEY (entry_id) REFERENCES entry (id),
    CONSTRAINT reversal_reversing_known FOREIGN KEY (reversing_entry_id) REFERENCES entry (id),
    CONSTRAINT reversal_state_known CHECK (state IN ('proposed', 'approved', 'rejected')),
    CONSTRAINT reversal_effect CHECK ((reversing_entry_id IS NOT NULL) = (state = 'approved')),
    CONSTRAINT reversal_reason_said CHECK (reason <> '')
);
CREATE TRIGGER reversal_kept BEFORE UPDATE ON reversal
    FOR EACH ROW EXECUTE FUNCTION keep_columns('id', 'entry_id', 'reason', 'parties', 'submitted_by',
        'submitting_organisation');
CREATE UNIQUE INDEX reversal_one_open ON reversal (entry_id) WHERE state <> 'rejected';

-- The most that a city's emitters and its reserve may hold together, where such a figure is recorded.
CREATE TABLE city_cap (
    city text NOT NULL,
    pollutant text NOT NULL,
    effective_from date NOT NULL,
    cap bigint NOT NULL,
    source text NOT NULL,
    demo boolean NOT NULL DEFAULT false,
    CONSTRAINT city_cap_pkey PRIMARY KEY (city, pollutant, effective_from),
    CONSTRAINT city_cap_city_known FOREIGN KEY (city) REFERENCES division (code),
    CONSTRAINT city_cap_pollutant_known FOREIGN KEY (pollutant) REFERENCES pollutant (code),
    CONSTRAINT city_cap_positive CHECK (cap >= 0)
);

-- The calendar day in China on which a moment falls. China keeps one offset all year.
CREATE FUNCTION china_date(p_at timestamptz) RETURNS date
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (p_at AT TIME ZONE INTERVAL '+08:00')::date;

-- The balance as recorded by a time: the last posting of either side, one index look-up each.
CREATE FUNCTION balance_as_recorded(p_account uuid, p_instrument uuid, p_at timestamptz) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce((
        SELECT last.balance FROM (
            (SELECT source_sequence AS sequence, source_balance AS balance FROM posting
             WHERE source = p_account AND instrument = p_instrument AND recorded_at <= p_at
             ORDER BY recorded_at DESC, source_sequence DESC LIMIT 1)
            UNION ALL
            (SELECT target_sequence, target_balance FROM posting
             WHERE target = p_account AND instrument = p_instrument AND recorded_at <= p_at
             ORDER BY recorded_at DESC, target_sequence DESC LIMIT 1)
        ) AS last ORDER BY last.sequence DESC LIMIT 1), 0);

-- The balance effective at a time, of postings recorded by another: a sum, slower than the look-up.
CREATE FUNCTION balance_as_effective(
    p_account uuid, p_instrument uuid, p_at timestamptz, p_recorded timestamptz
) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (
        SELECT coalesce(sum(quantity), 0) FROM posting
        WHERE target = p_account AND instrument = p_instrument AND effective_at <= p_at AND recorded_at <= p_recorded
    )::bigint - (
        SELECT coalesce(sum(quantity), 0) FROM posting
        WHERE source = p_account AND instrument = p_instrument AND effective_at <= p_at AND recorded_at <= p_recorded
    )::bigint;

-- A position as JSON, for the detail of an error.
CREATE FUNCTION position_detail(p_account uuid, p_instrument uuid, p_more jsonb) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT (jsonb_build_object(
        'account', a.id, 'kind', a.kind, 'organisation', a.organisation_id,
        'name', o.name, 'name_en', coalesce(o.name_en, o.name),
        'instrument', i.code, 'unit', i.unit, 'scale', i.scale) || p_more)::text
    FROM account a
    LEFT JOIN organisation o ON o.id = a.organisation_id
    CROSS JOIN instrument i
    WHERE a.id = p_account AND i.id = p_instrument
$$;

-- Refuses postings that no balance could cover: unknown, on the wrong side of the registry's borders, frozen,
-- out of force. Called with the balances locked.
CREATE FUNCTION check_postings(
    p_kind text, p_now timestamptz, p_sources uuid[], p_targets uuid[], p_instruments uuid[]
) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    v record;
BEGIN
    -- Issuance is touched when rights begin, change or end, outside money by payment and payout: by nothing else.
    SELECT p.source, p.target INTO v
    FROM unnest(p_sources, p_targets, p_instruments) AS p (source, target, instrument)
    JOIN account s ON s.id = p.source
    JOIN account t ON t.id = p.target
    JOIN instrument i ON i.id = p.instrument
    WHERE (s.issuer OR t.issuer) AND p_kind <> 'reversal' AND NOT coalesce(
        CASE p_kind
            WHEN 'opening' THEN s.kind = 'issuance' AND NOT t.issuer
            WHEN 'expiry' THEN t.kind = 'issuance' AND NOT s.issuer
            WHEN 'conversion' THEN 'issuance' IN (s.kind, t.kind) AND NOT (s.issuer AND t.issuer)
            WHEN 'payment' THEN s.kind = 'outside' AND NOT t.issuer
            WHEN 'payout' THEN t.kind = 'outside' AND NOT s.issuer
        END AND (i.class = 'money') = ('outside' IN (s.kind, t.kind)), false)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'an entry of kind % may not move from % to %', p_kind, v.source, v.target
            USING ERRCODE = 'BD006';
    END IF;

    -- Blocked rights may always return to their holder; nothing else leaves a frozen position.
    SELECT p.source, p.instrument, f.id, f.target, f.reason, f.ends_at INTO v
    FROM unnest(p_sources, p_targets, p_instruments) AS p (source, target, instrument)
    JOIN account s ON s.id = p.source
    JOIN account t ON t.id = p.target
    JOIN freeze_order f ON f.organisation_id = s.organisation_id
        AND f.lifted_at IS NULL AND f.starts_at <= p_now AND (f.ends_at IS NULL OR f.ends_at > p_now)
        AND (f.account_id IS NULL OR f.account_id = p.source)
        AND (f.instrument_id IS NULL OR f.instrument_id = p.instrument)
    WHERE NOT (t.kind = 'holding' AND t.organisation_id = s.organisation_id)
    ORDER BY f.starts_at, f.id LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'frozen' USING ERRCODE = 'BD002', DETAIL = position_detail(
            v.source, v.instrument,
            jsonb_build_object('freeze', v.id, 'target', v.target, 'reason', v.reason, 'until', v.ends_at));
    END IF;

    IF p_kind IN ('expiry', 'release', 'reversal', 'conversion') THEN
        RETURN;
    END IF;
    -- A right that begins later may be opened, but not disposed of before its first day.
    SELECT p.source, p.instrument, i.valid_from, i.valid_until, i.valid_from > china_date(p_now) AS ahead INTO v
    FROM unnest(p_sources, p_instruments) AS p (source, instrument)
    JOIN instrument i ON i.id = p.instrument
    WHERE i.valid_until < china_date(p_now) OR (i.valid_from > china_date(p_now) AND p_kind <> 'opening')
    ORDER BY i.valid_until, i.code LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'not in force' USING ERRCODE = 'BD003', DETAIL = position_detail(
            v.source, v.instrument,
            jsonb_build_object('valid_from', v.valid_from, 'valid_until', v.valid_until, 'ahead', v.ahead));
    END IF;
END $$;

-- The rights of a pollutant that a city's organisations hold on a day, blocked ones included.
CREATE FUNCTION city_holds(p_city text, p_pollutant text, p_on date) RETURNS bigint
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT coalesce(sum(b.quantity), 0)::bigint
    FROM instrument i
    JOIN balance b ON b.instrument_id = i.id AND NOT b.issuer
    JOIN account a ON a.id = b.account_id
    WHERE i.pollutant = p_pollutant AND i.class = 'right' AND a.city = p_city
        AND (i.valid_until IS NULL OR i.valid_until >= p_on)
$$;

-- Refuses an entry of any kind that lifts a city above its cap: rights come in by a transfer
-- from another city and by a reversal too. The locked cap keeps two entries apart.
CREATE FUNCTION check_caps(
    p_now timestamptz, p_sources uuid[], p_targets uuid[], p_instruments uuid[], p_quantities bigint[]
) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    v record;
    v_holds bigint;
BEGIN
    FOR v IN
        SELECT c.city, c.pollutant, c.cap FROM city_cap c
        WHERE (c.city, c.pollutant, c.effective_from) IN (
            SELECT d.city, d.pollutant, max(d.effective_from)
            FROM (
                SELECT a.city, i.pollutant
                FROM (
                    SELECT * FROM unnest(p_targets, p_instruments, p_quantities)
                    UNION ALL
                    SELECT p.source, p.instrument, -p.quantity
                    FROM unnest(p_sources, p_instruments, p_quantities) AS p (source, instrument, quantity)
                ) AS p (account, instrument, change)
                JOIN account a ON a.id = p.account
                JOIN instrument i ON i.id = p.instrument
                WHERE i.valid_until IS NULL OR i.valid_until >= china_date(p_now)
                GROUP BY a.city, i.pollutant HAVING sum(p.change) > 0
            ) AS rising
            JOIN city_cap d ON d.city = rising.city AND d.pollutant = rising.pollutant
                AND d.effective_from <= china_date(p_now)
            GROUP BY d.city, d.pollutant)
        ORDER BY c.city, c.pollutant FOR UPDATE
    LOOP
        v_holds := city_holds(v.city, v.pollutant, china_date(p_now));
        IF v_holds > v.cap THEN
            RAISE EXCEPTION 'over the cap' USING ERRCODE = 'BD005', DETAIL = (
                SELECT jsonb_build_object('city', d.name_zh, 'city_en', d.name_en, 'pollutant', q.name_zh,
                    'pollutant_en', q.name_en, 'unit', q.unit, 'scale', q.scale, 'cap', v.cap, 'holds', v_holds)
                FROM division d, pollutant q WHERE d.code = v.city AND q.code = v.pollutant)::text;
        END IF;
    END LOOP;
END $$;

-- The one writer of balances, entries and postings: all of the entry, or nothing. Postings take effect in their
-- order, so that no account is below zero even in between. Returns the recorded time of the entry.
-- BD001 short, BD002 frozen, BD003 out of force, BD004 unknown account or instrument, BD005 over a cap, BD006 no entry.
CREATE FUNCTION post_entry(
    p_entry uuid, p_audit_entry uuid, p_kind text, p_now timestamptz, p_effective_at timestamptz,
    p_reverses uuid, p_note text, p_source text, p_demo boolean, p_reference text,
    p_sources uuid[], p_targets uuid[], p_instruments uuid[], p_quantities bigint[]
) RETURNS timestamptz
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    v_lines CONSTANT integer := coalesce(cardinality(p_sources), 0);
    v_keys bigint;
    v_recorded_at timestamptz;
    v_holds bigint;
    v_issuer boolean;
    s record;
    t record;
BEGIN
    IF v_lines NOT BETWEEN 1 AND 1000 OR v_lines <> ALL (ARRAY[
            cardinality(p_targets), cardinality(p_instruments), cardinality(p_quantities)]) THEN
        RAISE EXCEPTION 'an entry has 1 to 1000 postings, each of them whole' USING ERRCODE = 'BD006';
    END IF;

    -- Both in key order, so that no two entries wait for each other in a ring.
    INSERT INTO balance (account_id, instrument_id, quantity, issuer, sequence, recorded_at)
    SELECT a.id, i.id, 0, a.issuer, 0, p_now
    FROM (SELECT DISTINCT * FROM (
            SELECT * FROM unnest(p_sources, p_instruments) UNION SELECT * FROM unnest(p_targets, p_instruments)
        ) AS k (account, instrument)) AS k
    JOIN account a ON a.id = k.account
    JOIN instrument i ON i.id = k.instrument
    ORDER BY a.id, i.id
    ON CONFLICT DO NOTHING;
    SELECT count(*), max(locked.recorded_at) INTO v_keys, v_recorded_at FROM (
        SELECT b.recorded_at FROM balance b
        WHERE (b.account_id, b.instrument_id) IN (
            SELECT * FROM unnest(p_sources, p_instruments) UNION SELECT * FROM unnest(p_targets, p_instruments))
        ORDER BY b.account_id, b.instrument_id FOR NO KEY UPDATE
    ) AS locked;
    IF v_keys < (SELECT count(*) FROM (
            SELECT * FROM unnest(p_sources, p_instruments) UNION SELECT * FROM unnest(p_targets, p_instruments)
        ) AS k) THEN
        RAISE EXCEPTION 'unknown account or instrument' USING ERRCODE = 'BD004';
    END IF;
    v_recorded_at := greatest(p_now, v_recorded_at);
    PERFORM check_postings(p_kind, p_now, p_sources, p_targets, p_instruments);

    INSERT INTO entry (id, audit_entry_id, kind, recorded_at, effective_at, reverses, note, source, demo)
    VALUES (p_entry, p_audit_entry, p_kind, v_recorded_at, coalesce(p_effective_at, p_now), p_reverses, p_note, p_source, p_demo);

    FOR n IN 1 .. v_lines LOOP
        SELECT quantity, issuer INTO v_holds, v_issuer FROM balance
        WHERE account_id = p_sources[n] AND instrument_id = p_instruments[n];
        IF v_holds < p_quantities[n] AND NOT v_issuer THEN
            RAISE EXCEPTION 'insufficient' USING ERRCODE = 'BD001', DETAIL = position_detail(
                p_sources[n], p_instruments[n],
                jsonb_build_object('holds', v_holds, 'lacks', p_quantities[n] - v_holds));
        END IF;
        UPDATE balance SET quantity = quantity - p_quantities[n], sequence = sequence + 1, recorded_at = v_recorded_at
        WHERE account_id = p_sources[n] AND instrument_id = p_instruments[n]
        RETURNING quantity, sequence INTO s;
        UPDATE balance SET quantity = quantity + p_quantities[n], sequence = sequence + 1, recorded_at = v_recorded_at
        WHERE account_id = p_targets[n] AND instrument_id = p_instruments[n]
        RETURNING quantity, sequence INTO t;
        INSERT INTO posting (entry_id, line, source, target, instrument, quantity,
            source_sequence, source_balance, target_sequence, target_balance, recorded_at, effective_at)
        VALUES (p_entry, n, p_sources[n], p_targets[n], p_instruments[n], p_quantities[n],
            s.sequence, s.quantity, t.sequence, t.quantity, v_recorded_at, coalesce(p_effective_at, p_now));
    END LOOP;

    IF EXISTS (SELECT FROM city_cap) THEN
        PERFORM check_caps(p_now, p_sources, p_targets, p_instruments, p_quantities);
    END IF;
    IF p_kind IN ('payment', 'payout') THEN
        INSERT INTO bank_reference (entry_id, reference) VALUES (p_entry, p_reference);
    ELSIF p_kind = 'reversal' THEN
        UPDATE bank_reference SET released_by = p_entry WHERE entry_id = p_reverses;
    END IF;
    RETURN v_recorded_at;
END $$;
