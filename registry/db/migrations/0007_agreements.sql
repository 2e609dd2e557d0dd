-- Cooperation agreements: parties, signatures, milestones.

CREATE TABLE agreement (
    id uuid PRIMARY KEY,
    kind text NOT NULL CONSTRAINT agreement_kind CHECK (kind IN (
        'strategic_cooperation', 'value_realisation', 'methodology_development', 'mortgage_cooperation',
        'financial_framework')),
    title text NOT NULL CONSTRAINT agreement_title CHECK (length(title) BETWEEN 1 AND 300),
    topics text[] NOT NULL CONSTRAINT agreement_topics CHECK (
        cardinality(topics) BETWEEN 1 AND 20 AND array_position(topics, NULL) IS NULL
        AND '' <> ALL (topics) AND length(array_to_string(topics, '')) <= 10000),
    visibility text NOT NULL CONSTRAINT agreement_visibility CHECK (visibility IN ('public', 'parties')),
    state text NOT NULL CONSTRAINT agreement_state CHECK (state IN (
        'draft', 'signed', 'in_force', 'completed', 'terminated', 'withdrawn')),
    -- The ceremony that brought several agreements together; empty where there was none.
    event text NOT NULL DEFAULT '' CONSTRAINT agreement_event CHECK (length(event) <= 200),
    valid_from date,
    valid_until date,
    -- The organisations of agreement_party, and those of them that have signed: facts need no join.
    parties uuid[] NOT NULL CONSTRAINT agreement_parties CHECK (
        cardinality(parties) BETWEEN 2 AND 20 AND array_position(parties, NULL) IS NULL),
    signed uuid[] NOT NULL CONSTRAINT agreement_signed_named CHECK (array_position(signed, NULL) IS NULL),
    drafted_by uuid NOT NULL CONSTRAINT agreement_drafted_by REFERENCES organisation (id),
    reason text NOT NULL DEFAULT '' CONSTRAINT agreement_reason CHECK (length(reason) <= 2000),
    source text NOT NULL DEFAULT '' CONSTRAINT agreement_source CHECK (length(source) <= 500),
    demo boolean NOT NULL DEFAULT false,
    drafted_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    title_form text NOT NULL GENERATED ALWAYS AS (comparison_form(title)) STORED,
    CONSTRAINT agreement_period CHECK (valid_until >= valid_from),
    CONSTRAINT agreement_drafter_is_party CHECK (drafted_by = ANY (parties)),
    CONSTRAINT agreement_signed_by_parties CHECK (signed <@ parties),
    CONSTRAINT agreement_signed_by_all CHECK (
        state NOT IN ('signed', 'in_force', 'completed', 'terminated') OR parties <@ signed),
    CONSTRAINT agreement_reason_of_end CHECK ((state IN ('terminated', 'withdrawn')) = (reason <> ''))
);
CREATE INDEX agreement_by_part ON agreement USING gin (bigrams(title_form));
CREATE INDEX agreement_of_parties ON agreement USING gin (parties);
CREATE INDEX agreement_newest ON agreement (drafted_at DESC, id DESC);
CREATE INDEX agreement_by_state ON agreement (state);

CREATE TABLE agreement_party (
    agreement_id uuid NOT NULL CONSTRAINT agreement_party_agreement REFERENCES agreement (id),
    organisation_id uuid NOT NULL CONSTRAINT agreement_party_organisation REFERENCES organisation (id),
    position smallint NOT NULL,
    -- The party's part in the agreement, in its own words.
    capacity text NOT NULL CONSTRAINT agreement_party_capacity CHECK (length(capacity) BETWEEN 1 AND 200),
    signed_at timestamptz,
    signed_by uuid CONSTRAINT agreement_party_signed_by REFERENCES person (id),
    audit_entry_id uuid CONSTRAINT agreement_party_audit_entry REFERENCES audit_entry (id) DEFERRABLE INITIALLY DEFERRED,
    id uuid PRIMARY KEY,
    CONSTRAINT agreement_party_once UNIQUE (agreement_id, organisation_id),
    CONSTRAINT agreement_party_position UNIQUE (agreement_id, position),
    CONSTRAINT agreement_party_position_counts CHECK (position BETWEEN 1 AND 20),
    CONSTRAINT agreement_party_signature CHECK (num_nonnulls(signed_at, signed_by, audit_entry_id) IN (0, 3))
);

CREATE FUNCTION agreement_party_signs_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.signed_at IS NULL AND NEW.signed_at IS NOT NULL
        AND (NEW.id, NEW.agreement_id, NEW.organisation_id, NEW.position, NEW.capacity)
            = (OLD.id, OLD.agreement_id, OLD.organisation_id, OLD.position, OLD.capacity) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a party signs once' USING ERRCODE = 'BD009';
END $$;
CREATE TRIGGER agreement_party_signed_once BEFORE UPDATE ON agreement_party
    FOR EACH ROW EXECUTE FUNCTION agreement_party_signs_once();
CREATE TRIGGER agreement_party_append_only BEFORE DELETE OR TRUNCATE ON agreement_party
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE milestone (
    id uuid PRIMARY KEY,
    agreement_id uuid NOT NULL CONSTRAINT milestone_agreement REFERENCES agreement (id),
    position smallint NOT NULL CONSTRAINT milestone_position_counts CHECK (position BETWEEN 1 AND 200),
    title text NOT NULL CONSTRAINT milestone_title CHECK (length(title) BETWEEN 1 AND 300),
    due_on date,
    state text NOT NULL CONSTRAINT milestone_state CHECK (state IN ('planned', 'reached')),
    reached_on date,
    note text NOT NULL DEFAULT '' CONSTRAINT milestone_note CHECK (length(note) <= 4000),
    sha256 text CONSTRAINT milestone_sha256 CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    -- Objects of the registry that show it: [{"kind": ..., "id": ...}], each visible to the person who linked it.
    links jsonb NOT NULL DEFAULT '[]' CONSTRAINT milestone_links CHECK (
        jsonb_typeof(links) = 'array' AND jsonb_array_length(links) <= 50),
    planned_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT milestone_title_once UNIQUE (agreement_id, title),
    CONSTRAINT milestone_position UNIQUE (agreement_id, position),
    CONSTRAINT milestone_reached CHECK ((state = 'reached') = (reached_on IS NOT NULL)),
    CONSTRAINT milestone_evidence CHECK (
        state = 'planned' OR note <> '' OR sha256 IS NOT NULL OR links <> '[]')
);
