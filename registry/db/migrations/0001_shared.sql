-- What every concept stands on: the clock, the epoch of access, the rule book's editions, the log of acts, the keys.

CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'BD009';
END $$;

-- What a row is about never changes; only what becomes of it may. The arguments are the columns that are kept.
CREATE FUNCTION keep_columns() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_column text;
BEGIN
    FOREACH v_column IN ARRAY TG_ARGV LOOP
        IF to_jsonb(NEW) -> v_column IS DISTINCT FROM to_jsonb(OLD) -> v_column THEN
            RAISE EXCEPTION '%.% never changes', TG_TABLE_NAME, v_column USING ERRCODE = 'BD009';
        END IF;
    END LOOP;
    RETURN NEW;
END $$;

-- One clock. No row value: real time. `reads` alone: stands. Both: runs on from `reads` since `since`.
CREATE TABLE registry_clock (
    one boolean PRIMARY KEY DEFAULT true CONSTRAINT registry_clock_one CHECK (one),
    reads timestamptz,
    since timestamptz,
    CONSTRAINT registry_clock_form CHECK (reads IS NOT NULL OR since IS NULL)
);
INSERT INTO registry_clock DEFAULT VALUES;

CREATE FUNCTION registry_now() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN reads IS NULL THEN clock_timestamp()
        WHEN since IS NULL THEN reads
        ELSE reads + (clock_timestamp() - since)
    END FROM registry_clock
$$;

CREATE TABLE access_epoch (
    one boolean PRIMARY KEY DEFAULT true CONSTRAINT access_epoch_one CHECK (one),
    epoch bigint NOT NULL DEFAULT 0
);
INSERT INTO access_epoch DEFAULT VALUES;

CREATE FUNCTION step_access_epoch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE access_epoch SET epoch = epoch + 1;
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

-- One row for every write: who, in which capacity, did what, under which rule of which edition, with which key.
CREATE TABLE act (
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
    key text NOT NULL CONSTRAINT act_key_length CHECK (length(key) BETWEEN 1 AND 200),
    state_before text,
    state_after text,
    input jsonb NOT NULL,
    CONSTRAINT act_rule FOREIGN KEY (edition, rule) REFERENCES rule_line (edition, number)
);
CREATE INDEX act_object ON act (object_id, at, id);
CREATE TRIGGER act_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON act
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE idempotency_key (
    organisation_id uuid NOT NULL,
    person_id uuid NOT NULL,
    client text NOT NULL,
    key text NOT NULL,
    hash text NOT NULL,
    act_id uuid NOT NULL CONSTRAINT idempotency_key_act REFERENCES act (id) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (organisation_id, person_id, client, key)
);
