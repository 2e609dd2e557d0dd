-- Shared by every concept: the clock, the access epoch, the rule book's editions, the audit log, idempotency keys.

CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'BD009';
END $$;

-- Keeps the columns that the arguments name. A name that is no column is an error: it would keep nothing.
CREATE FUNCTION keep_columns() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_old CONSTANT jsonb := to_jsonb(OLD);
    v_new CONSTANT jsonb := to_jsonb(NEW);
    v_column text;
BEGIN
    FOREACH v_column IN ARRAY TG_ARGV LOOP
        IF NOT v_new ? v_column THEN
            RAISE EXCEPTION '% has no column %', TG_TABLE_NAME, v_column USING ERRCODE = 'undefined_column';
        END IF;
        IF v_new -> v_column IS DISTINCT FROM v_old -> v_column THEN
            RAISE EXCEPTION '%.% never changes', TG_TABLE_NAME, v_column USING ERRCODE = 'BD009';
        END IF;
    END LOOP;
    RETURN NEW;
END $$;

-- The registry clock. Both columns NULL: real time. `base_time` alone: stopped at it.
-- Both: runs on from `base_time`, counted from `running_since`.
CREATE TABLE registry_clock (
    one boolean PRIMARY KEY DEFAULT true CONSTRAINT registry_clock_one CHECK (one),
    base_time timestamptz,
    running_since timestamptz,
    CONSTRAINT registry_clock_form CHECK (base_time IS NOT NULL OR running_since IS NULL)
);
INSERT INTO registry_clock DEFAULT VALUES;

CREATE FUNCTION registry_now() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN base_time IS NULL THEN clock_timestamp()
        WHEN running_since IS NULL THEN base_time
        ELSE base_time + (clock_timestamp() - running_since)
    END FROM registry_clock
$$;

CREATE TABLE access_epoch (
    one boolean PRIMARY KEY DEFAULT true CONSTRAINT access_epoch_one CHECK (one),
    epoch bigint NOT NULL DEFAULT 0,
    -- The version of the reference data. Processes that cache another version load it anew. A random name, not a
    -- number: after a fail-over that lost a change, a number could come again for other rows.
    reference_version uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO access_epoch DEFAULT VALUES;

CREATE FUNCTION step_access_epoch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE access_epoch SET epoch = epoch + 1;
    RETURN NULL;
END $$;

CREATE FUNCTION step_reference_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE access_epoch SET epoch = epoch + 1, reference_version = gen_random_uuid();
    RETURN NULL;
END $$;
CREATE TABLE rule_edition (
    version integer PRIMARY KEY CONSTRAINT rule_edition_positive CHECK (version > 0),
    digest text NOT NULL CONSTRAINT rule_edition_digest CHECK (digest ~ '^[0-9a-f]{64}$'),
    imported_at timestamptz NOT NULL
);
CREATE TABLE rule_line (
    edition integer NOT NULL REFERENCES rule_edition (version),
    sequence integer NOT NULL,
    cells text[] NOT NULL,
    number text,
    PRIMARY KEY (edition, sequence),
    CONSTRAINT rule_line_number UNIQUE (edition, number)
);
CREATE TRIGGER rule_edition_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rule_edition
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER rule_line_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rule_line
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER rule_edition_epoch AFTER INSERT ON rule_edition
    FOR EACH STATEMENT EXECUTE FUNCTION step_access_epoch();

-- The audit log: one row for every write, with the person, their role, the operation, the rule and the key.
CREATE TABLE audit_entry (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    operation text NOT NULL,
    kind text NOT NULL,
    verb text NOT NULL,
    object_id uuid NOT NULL,
    role text NOT NULL,
    person_id uuid,
    appointment_id uuid,
    organisation_id uuid,
    client text NOT NULL DEFAULT '',
    edition integer NOT NULL,
    rule text NOT NULL,
    facts text[] NOT NULL,
    key text NOT NULL CONSTRAINT audit_entry_key_length CHECK (length(key) BETWEEN 1 AND 200),
    state_before text,
    state_after text,
    input jsonb NOT NULL,
    CONSTRAINT audit_entry_words CHECK (
        operation ~ '^[a-z_]+$' AND verb ~ '^[a-z_]+$' AND role ~ '^[a-z_]+$' AND state_before ~ '^[a-z_]+$' AND state_after ~ '^[a-z_]+$'
    ),
    CONSTRAINT audit_entry_rule FOREIGN KEY (edition, rule) REFERENCES rule_line (edition, number)
);
CREATE INDEX audit_entry_object ON audit_entry (object_id, written_at, id);
CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE idempotency_key (
    organisation_id uuid NOT NULL,
    person_id uuid NOT NULL,
    client text NOT NULL,
    key text NOT NULL,
    hash text NOT NULL,
    audit_entry_id uuid NOT NULL CONSTRAINT idempotency_key_audit_entry REFERENCES audit_entry (id) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (organisation_id, person_id, client, key)
);

-- The form in which names and numbers are compared; `registry.kernel.texts.comparison_form` computes the same, and says
-- what makes no difference.
CREATE FUNCTION comparison_form(text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN regexp_replace(
        btrim(regexp_replace(
            translate(
                normalize(regexp_replace($1,
                    '[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800'
                    '\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a'
                    '\U000e0000-\U000e0fff]', '', 'g'), NFKD),
                U&'abcdefghijklmnopqrstuvwxyz\2010\2012\2013\2014\2015\2212〔〕【】[]',
                'ABCDEFGHIJKLMNOPQRSTUVWXYZ------()()()'),
            '[\u0009-\u000d \u0085\u1680\u2028\u2029]+', ' ', 'g')),
        ' (?![0-9A-Z])|(?<![0-9A-Z]) ', '', 'g');

-- The pairs of letters of a text in its comparison form, by which a part of a name is found, in Chinese too: no
-- extension is needed.
CREATE FUNCTION bigrams(text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ARRAY(SELECT DISTINCT substr($1, n, 2) FROM generate_series(1, length($1) - 1) AS n);
