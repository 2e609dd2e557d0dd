-- Organisations, people, appointments, sanctions, clients and their persisted queries.

CREATE TABLE organisation (
    id uuid PRIMARY KEY,
    kind text NOT NULL CONSTRAINT organisation_kind CHECK (kind IN (
        'province', 'centre', 'city', 'county', 'government', 'enterprise', 'bank', 'verifier', 'auditor', 'portal',
        'approval_bureau', 'price_authority', 'tax_bureau'
    )),
    name text NOT NULL CONSTRAINT organisation_name CHECK (length(name) BETWEEN 2 AND 200),
    name_en text CONSTRAINT organisation_name_en CHECK (length(name_en) BETWEEN 2 AND 200),
    credit_code text CONSTRAINT organisation_credit_code CHECK (credit_code ~ '^[0-9A-HJ-NPQRTUWXY]{18}$'),
    division text NOT NULL CONSTRAINT organisation_division REFERENCES division (code),
    -- Codes go into answers without an escape.
    city text NOT NULL CONSTRAINT organisation_city_known REFERENCES division (code),
    county text NOT NULL CONSTRAINT organisation_county_code CHECK (county ~ '^([1-9][0-9]{5})?$'),
    source_category text CONSTRAINT organisation_source_category
        CHECK (source_category IN ('industrial', 'agricultural', 'central_treatment', 'other')),
    industry text CONSTRAINT organisation_industry REFERENCES industry (code),
    -- NULL: no source says; likewise below.
    thermal_power boolean,
    installed_mw integer CONSTRAINT organisation_installed_mw CHECK (installed_mw BETWEEN 0 AND 100000),
    two_representatives boolean NOT NULL DEFAULT false,
    state text NOT NULL CONSTRAINT organisation_state CHECK (state IN ('open', 'closed')),
    source text NOT NULL DEFAULT '',
    demo boolean NOT NULL DEFAULT false,
    registered_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    -- Its side of the market; its people and their appointments are on the same.
    side text NOT NULL GENERATED ALWAYS AS (CASE
        WHEN kind IN ('province', 'centre', 'city', 'county', 'approval_bureau', 'price_authority', 'tax_bureau')
            THEN 'official'
        WHEN kind = 'auditor' THEN 'oversight'
        ELSE 'participant' END) STORED,
    -- The names as they are compared; `name` is the legal name as it was given.
    name_form text NOT NULL GENERATED ALWAYS AS (comparison_form(name)) STORED,
    name_en_form text GENERATED ALWAYS AS (comparison_form(name_en)) STORED,
    CONSTRAINT organisation_one_side UNIQUE (id, side),
    CONSTRAINT organisation_kind_kept UNIQUE (id, kind)
);
CREATE INDEX organisation_by_part ON organisation USING gin (bigrams(name_form));
CREATE UNIQUE INDEX organisation_credit_code_once ON organisation (credit_code) WHERE credit_code IS NOT NULL;
CREATE UNIQUE INDEX organisation_name_once ON organisation (name_form) WHERE state = 'open';
CREATE UNIQUE INDEX organisation_name_en_once ON organisation (name_en_form) WHERE state = 'open';
-- The English name of one is no other's legal name either. A name enters as a hash, a range of one number.
ALTER TABLE organisation ADD CONSTRAINT organisation_names_once EXCLUDE USING gist (int8multirange(
    int8range(hashtextextended(name_form, 0), hashtextextended(name_form, 0), '[]'),
    int8range(hashtextextended(coalesce(name_en_form, name_form), 0),
        hashtextextended(coalesce(name_en_form, name_form), 0), '[]')) WITH &&)
    WHERE (state = 'open');
-- There is one province and one centre.
CREATE UNIQUE INDEX organisation_single ON organisation (kind) WHERE kind IN ('province', 'centre') AND state = 'open';
CREATE UNIQUE INDEX organisation_bureau_once ON organisation (kind, division)
    WHERE kind IN ('city', 'county') AND state = 'open';
-- Organisations of a kind in a city are counted by an index-only scan.
CREATE INDEX organisation_city ON organisation (city, name, id) INCLUDE (kind);
CREATE INDEX organisation_county ON organisation (county);
CREATE INDEX organisation_newest ON organisation (registered_at DESC, id DESC);

-- `side` keeps officials and market participants apart. An appointment carries the side of its person and of its
-- organisation, so one person is on one side only.
CREATE TABLE person (
    id uuid PRIMARY KEY,
    subject text NOT NULL CONSTRAINT person_subject_length CHECK (length(subject) BETWEEN 3 AND 200),
    name text NOT NULL CONSTRAINT person_name CHECK (length(name) BETWEEN 1 AND 100),
    organisation_id uuid NOT NULL,
    side text NOT NULL,
    -- Registered from outside, because the organisation could not yet appoint its own.
    appointed_externally boolean NOT NULL,
    demo boolean NOT NULL DEFAULT false,
    changed_at timestamptz NOT NULL,
    CONSTRAINT person_one_side UNIQUE (id, side),
    CONSTRAINT person_organisation FOREIGN KEY (organisation_id, side) REFERENCES organisation (id, side)
);
CREATE UNIQUE INDEX person_subject ON person (subject);
CREATE INDEX person_of_organisation ON person (organisation_id);

CREATE TABLE appointment (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL,
    side text NOT NULL,
    organisation_id uuid NOT NULL,
    role text NOT NULL,
    division text NOT NULL CONSTRAINT appointment_division REFERENCES division (code),
    may_initiate boolean NOT NULL,
    may_approve boolean NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_until timestamptz,
    appointed_externally boolean NOT NULL,
    state text NOT NULL CONSTRAINT appointment_state CHECK (state IN ('proposed', 'in_force', 'ended')),
    ended_at timestamptz,
    submitted_by uuid NOT NULL,
    submitting_organisation uuid NOT NULL CONSTRAINT appointment_submitting_organisation REFERENCES organisation (id),
    signatories uuid[] NOT NULL
        CONSTRAINT appointment_signatories_named CHECK (array_position(signatories, NULL) IS NULL),
    demo boolean NOT NULL DEFAULT false,
    changed_at timestamptz NOT NULL,
    CONSTRAINT appointment_person FOREIGN KEY (person_id, side) REFERENCES person (id, side),
    CONSTRAINT appointment_organisation
        FOREIGN KEY (organisation_id, side) REFERENCES organisation (id, side),
    -- An appointment's role is the kind of its organisation.
    CONSTRAINT appointment_role_of_kind
        FOREIGN KEY (organisation_id, role) REFERENCES organisation (id, kind),
    CONSTRAINT appointment_ended CHECK ((state = 'ended') = (ended_at IS NOT NULL)),
    -- Four eyes: the proposer is one of the signatories, and two are needed.
    CONSTRAINT appointment_submitter_signed CHECK (submitted_by = ANY (signatories)),
    CONSTRAINT appointment_two_people CHECK (state <> 'in_force' OR cardinality(signatories) >= 2),
    CONSTRAINT appointment_period CHECK (valid_until > valid_from),
    CONSTRAINT appointment_of_use CHECK (may_initiate OR may_approve OR role IN ('auditor', 'portal'))
);
CREATE UNIQUE INDEX appointment_once ON appointment (person_id, organisation_id, role, division)
    WHERE state IN ('proposed', 'in_force');
CREATE INDEX appointment_of_person ON appointment (person_id) WHERE state = 'in_force';
CREATE INDEX appointment_of_organisation ON appointment (organisation_id, state);

CREATE TABLE sanction (
    id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL CONSTRAINT sanction_organisation REFERENCES organisation (id),
    city text NOT NULL,
    county text NOT NULL,
    kind text NOT NULL CONSTRAINT sanction_kind
        CHECK (kind IN ('listed_supervision', 'ordered_to_correct', 'penalty_period')),
    reason text NOT NULL CONSTRAINT sanction_reason CHECK (length(reason) BETWEEN 1 AND 2000),
    source text NOT NULL CONSTRAINT sanction_source CHECK (length(source) BETWEEN 1 AND 500),
    starts_at timestamptz NOT NULL,
    ends_at timestamptz,
    state text NOT NULL CONSTRAINT sanction_state CHECK (state IN ('in_force', 'lifted')),
    submitted_by uuid NOT NULL,
    submitting_organisation uuid NOT NULL CONSTRAINT sanction_submitting_organisation REFERENCES organisation (id),
    demo boolean NOT NULL DEFAULT false,
    changed_at timestamptz NOT NULL,
    lifted_at timestamptz,
    lifted_reason text CONSTRAINT sanction_lifted_reason CHECK (length(lifted_reason) BETWEEN 1 AND 2000),
    CONSTRAINT sanction_period CHECK (ends_at > starts_at),
    CONSTRAINT sanction_lifted CHECK (
        (state = 'lifted') = (lifted_at IS NOT NULL) AND (state = 'lifted') = (lifted_reason IS NOT NULL))
);
CREATE INDEX sanction_of_organisation ON sanction (organisation_id) WHERE state = 'in_force';

CREATE TABLE client (
    id uuid PRIMARY KEY,
    name text NOT NULL CONSTRAINT client_name CHECK (name ~ '^[a-z0-9][a-z0-9-]{1,62}$'),
    organisation_id uuid NOT NULL CONSTRAINT client_organisation REFERENCES organisation (id),
    first_party boolean NOT NULL DEFAULT false,
    scopes text[] NOT NULL CONSTRAINT client_scopes_number CHECK (cardinality(scopes) <= 200)
        CONSTRAINT client_scopes_words
        CHECK (array_to_string(scopes, ' ', '?') ~ '^([A-Za-z]+:[a-z_]+( [A-Za-z]+:[a-z_]+)*)?$'),
    state text NOT NULL CONSTRAINT client_state CHECK (state IN ('open', 'revoked')),
    demo boolean NOT NULL DEFAULT false,
    changed_at timestamptz NOT NULL,
    persisted_queries_only boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX client_name_once ON client (name);

-- The names under which people and clients sign in, in comparison form: no two of them look alike.
CREATE TABLE sign_in_name (
    name text CONSTRAINT sign_in_name_pkey PRIMARY KEY
);
CREATE TRIGGER sign_in_name_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON sign_in_name
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- The column that the first argument names enters the table; a name that is taken violates the second.
CREATE FUNCTION take_sign_in_name() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO sign_in_name (name) VALUES (comparison_form(to_jsonb(NEW) ->> TG_ARGV[0])) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a person or client signs in as this'
            USING ERRCODE = 'unique_violation', CONSTRAINT = TG_ARGV[1];
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER person_sign_in_name AFTER INSERT ON person
    FOR EACH ROW EXECUTE FUNCTION take_sign_in_name('subject', 'person_subject');
CREATE TRIGGER client_sign_in_name AFTER INSERT ON client
    FOR EACH ROW EXECUTE FUNCTION take_sign_in_name('name', 'client_name_once');

-- The queries that a client may send by their hash.
CREATE TABLE persisted_query (
    client_id uuid NOT NULL CONSTRAINT persisted_query_client REFERENCES client (id),
    sha256 text NOT NULL,
    text text NOT NULL CONSTRAINT persisted_query_length CHECK (octet_length(text) BETWEEN 1 AND 32768),
    registered_at timestamptz NOT NULL,
    retired_at timestamptz,
    CONSTRAINT persisted_query_once PRIMARY KEY (client_id, sha256),
    -- The hash is that of exactly this text.
    CONSTRAINT persisted_query_hash CHECK (sha256 = encode(sha256(convert_to(text, 'UTF8')), 'hex'))
);

-- A sanction carries the place of its organisation, so that a fact about it needs no join.
CREATE FUNCTION pass_place_to_sanctions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE sanction SET city = NEW.city, county = NEW.county WHERE organisation_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER organisation_sanction_place AFTER UPDATE OF city, county ON organisation
    FOR EACH ROW WHEN ((OLD.city, OLD.county) IS DISTINCT FROM (NEW.city, NEW.county))
    EXECUTE FUNCTION pass_place_to_sanctions();

CREATE TRIGGER appointment_epoch AFTER INSERT OR UPDATE OR DELETE ON appointment
    FOR EACH STATEMENT EXECUTE FUNCTION step_access_epoch();
CREATE TRIGGER sanction_epoch AFTER INSERT OR UPDATE OR DELETE ON sanction
    FOR EACH STATEMENT EXECUTE FUNCTION step_access_epoch();
CREATE TRIGGER client_epoch AFTER INSERT OR UPDATE OR DELETE ON client
    FOR EACH STATEMENT EXECUTE FUNCTION step_access_epoch();
CREATE TRIGGER persisted_query_epoch AFTER INSERT OR UPDATE OR DELETE ON persisted_query
    FOR EACH STATEMENT EXECUTE FUNCTION step_access_epoch();
-- Closing an organisation ends what its people may do: cached viewers must be resolved anew.
CREATE TRIGGER organisation_epoch AFTER UPDATE ON organisation
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION step_access_epoch();

CREATE TRIGGER organisation_kept BEFORE UPDATE ON organisation
    FOR EACH ROW EXECUTE FUNCTION keep_columns('id', 'kind', 'registered_at');
CREATE TRIGGER person_kept BEFORE UPDATE ON person
    FOR EACH ROW EXECUTE FUNCTION keep_columns('id', 'subject', 'organisation_id', 'side');
CREATE TRIGGER appointment_kept BEFORE UPDATE ON appointment
    FOR EACH ROW EXECUTE FUNCTION keep_columns('id', 'person_id', 'organisation_id', 'side', 'role', 'division',
        'may_initiate', 'may_approve', 'valid_until', 'submitted_by', 'submitting_organisation');
CREATE TRIGGER sanction_kept BEFORE UPDATE ON sanction
    FOR EACH ROW EXECUTE FUNCTION keep_columns('id', 'organisation_id', 'kind', 'starts_at', 'ends_at', 'source',
        'submitted_by', 'submitting_organisation');
CREATE TRIGGER client_kept BEFORE UPDATE ON client
    FOR EACH ROW EXECUTE FUNCTION keep_columns('id', 'name', 'organisation_id', 'first_party', 'scopes');
CREATE TRIGGER persisted_query_kept BEFORE UPDATE ON persisted_query
    FOR EACH ROW EXECUTE FUNCTION keep_columns('client_id', 'sha256', 'text');
