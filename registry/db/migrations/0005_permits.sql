-- Discharge permits with their limits and outlets, construction projects with their demand, assessments of cities.

CREATE TABLE permit (
    id uuid PRIMARY KEY,
    number text NOT NULL CONSTRAINT permit_number CHECK (number ~ '^[0-9A-Z]{18}[0-9]{3}P$'),
    organisation_id uuid NOT NULL CONSTRAINT permit_organisation REFERENCES organisation (id),
    -- Where the holder is; kept in step by a trigger, so that a fact about the permit needs no join.
    city text NOT NULL,
    county text NOT NULL,
    issued_by text NOT NULL CONSTRAINT permit_issued_by REFERENCES division (code),
    category text NOT NULL CONSTRAINT permit_category CHECK (category IN ('key', 'simplified')),
    valid_from date NOT NULL,
    valid_until date NOT NULL,
    state text NOT NULL CONSTRAINT permit_state CHECK (state IN ('in_force', 'revoked')),
    -- The first day on which it is no longer in force.
    revoked_on date,
    ending text CONSTRAINT permit_ending CHECK (ending IN ('set_aside', 'deregistered', 'forfeited')),
    revocation_reason text NOT NULL DEFAULT ''
        CONSTRAINT permit_revocation_reason CHECK (length(revocation_reason) <= 2000),
    source text NOT NULL CONSTRAINT permit_source CHECK (length(source) BETWEEN 1 AND 500),
    demo boolean NOT NULL DEFAULT false,
    registered_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT permit_number_once UNIQUE (number),
    CONSTRAINT permit_period CHECK (valid_until >= valid_from),
    CONSTRAINT permit_revoked CHECK ((state = 'revoked') = (revoked_on IS NOT NULL)
        AND (state = 'revoked') = (ending IS NOT NULL)
        AND (state = 'revoked') = (revocation_reason <> ''))
);
CREATE INDEX permit_by_part ON permit USING gin (bigrams(number));
CREATE INDEX permit_of_organisation ON permit (organisation_id, registered_at DESC, id DESC);
CREATE INDEX permit_by_city ON permit (city, number);
CREATE INDEX permit_by_county ON permit (county);
CREATE INDEX permit_newest ON permit (registered_at DESC, id DESC);

-- Yearly limits of a permit, first and last day included. A change closes the row before it.
CREATE TABLE permit_limit (
    id uuid PRIMARY KEY,
    permit_id uuid NOT NULL CONSTRAINT permit_limit_permit REFERENCES permit (id),
    pollutant text NOT NULL CONSTRAINT permit_limit_pollutant REFERENCES pollutant (code),
    -- Base units of the pollutant.
    quantity bigint NOT NULL CONSTRAINT permit_limit_quantity CHECK (quantity BETWEEN 0 AND 10000000000000),
    effective_from date NOT NULL,
    effective_until date,
    source text NOT NULL CONSTRAINT permit_limit_source CHECK (length(source) BETWEEN 1 AND 500),
    CONSTRAINT permit_limit_period CHECK (effective_until >= effective_from),
    CONSTRAINT permit_limit_change_once UNIQUE (permit_id, pollutant, effective_from),
    -- The pair enters as a hash, a range of one number: core PostgreSQL has no GiST over uuid and text.
    CONSTRAINT permit_limit_no_overlap EXCLUDE USING gist (
        int8range(
            hashtextextended(permit_id::text || chr(31) || pollutant, 0),
            hashtextextended(permit_id::text || chr(31) || pollutant, 0), '[]') WITH &&,
        daterange(effective_from, effective_until, '[]') WITH &&
    ) DEFERRABLE INITIALLY DEFERRED
);
CREATE UNIQUE INDEX permit_limit_one_open ON permit_limit (permit_id, pollutant) WHERE effective_until IS NULL;

CREATE FUNCTION permit_limit_closes_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.effective_until IS NULL AND NEW.effective_until IS NOT NULL
        AND (NEW.id, NEW.permit_id, NEW.pollutant, NEW.quantity, NEW.effective_from, NEW.source)
            = (OLD.id, OLD.permit_id, OLD.pollutant, OLD.quantity, OLD.effective_from, OLD.source) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a limit is closed once and never changed' USING ERRCODE = 'BD009';
END $$;
CREATE TRIGGER permit_limit_closed_once BEFORE UPDATE ON permit_limit
    FOR EACH ROW EXECUTE FUNCTION permit_limit_closes_once();
CREATE TRIGGER permit_limit_append_only BEFORE DELETE OR TRUNCATE ON permit_limit
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- Where a permit lets out. A city lies in several river systems, so the river belongs to the outlet.
CREATE TABLE outlet (
    id uuid PRIMARY KEY,
    permit_id uuid NOT NULL CONSTRAINT outlet_permit REFERENCES permit (id),
    code text NOT NULL CONSTRAINT outlet_code CHECK (code ~ '^(DA|DW)[0-9]{3}$'),
    medium text NOT NULL CONSTRAINT outlet_medium CHECK (medium IN ('air', 'water')),
    river_system text CONSTRAINT outlet_river_system REFERENCES river_system (code),
    CONSTRAINT outlet_code_once UNIQUE (permit_id, code),
    CONSTRAINT outlet_code_says_medium CHECK ((medium = 'air') = (code LIKE 'DA%')),
    CONSTRAINT outlet_river_of_water CHECK ((medium = 'water') = (river_system IS NOT NULL))
);
CREATE TRIGGER outlet_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON outlet
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE FUNCTION copy_permit_place() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE permit SET city = NEW.city, county = NEW.county WHERE organisation_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER organisation_permit_place_copied AFTER UPDATE OF city, county ON organisation
    FOR EACH ROW WHEN ((OLD.city, OLD.county) IS DISTINCT FROM (NEW.city, NEW.county))
    EXECUTE FUNCTION copy_permit_place();

CREATE TABLE construction_project (
    id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL CONSTRAINT construction_project_organisation REFERENCES organisation (id),
    name text NOT NULL CONSTRAINT construction_project_name CHECK (length(name) BETWEEN 1 AND 200),
    division text NOT NULL CONSTRAINT construction_project_division REFERENCES division (code),
    -- Of the place of the project, which need not be that of its owner.
    city text NOT NULL,
    county text NOT NULL,
    -- The number of the approval of its environmental assessment, where one is known.
    approval_number text
        CONSTRAINT construction_project_approval_number CHECK (length(approval_number) BETWEEN 1 AND 100),
    state text NOT NULL CONSTRAINT construction_project_state CHECK (state IN ('planned', 'assessed')),
    -- NULL: no source says.
    strategic_industry boolean,
    technology_demonstration boolean,
    source text NOT NULL CONSTRAINT construction_project_source CHECK (length(source) BETWEEN 1 AND 500),
    demo boolean NOT NULL DEFAULT false,
    registered_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    name_form text NOT NULL GENERATED ALWAYS AS (comparison_form(name)) STORED,
    CONSTRAINT construction_project_name_once UNIQUE (organisation_id, name_form)
);
CREATE INDEX construction_project_by_part ON construction_project USING gin (bigrams(name_form));
CREATE UNIQUE INDEX construction_project_approval_once ON construction_project (comparison_form(approval_number))
    WHERE approval_number IS NOT NULL;
CREATE INDEX construction_project_by_city ON construction_project (city, name, id);
CREATE INDEX construction_project_by_county ON construction_project (county);
CREATE INDEX construction_project_newest ON construction_project (registered_at DESC, id DESC);

-- Demand of a project by its environmental assessment. NULL: the source does not give it.
CREATE TABLE project_demand (
    id uuid PRIMARY KEY,
    project_id uuid NOT NULL CONSTRAINT project_demand_project REFERENCES construction_project (id),
    pollutant text NOT NULL CONSTRAINT project_demand_pollutant REFERENCES pollutant (code),
    -- Base units of the pollutant.
    quantity bigint CONSTRAINT project_demand_quantity CHECK (quantity BETWEEN 0 AND 10000000000000),
    source text NOT NULL CONSTRAINT project_demand_source CHECK (length(source) BETWEEN 1 AND 500),
    demo boolean NOT NULL DEFAULT false,
    assessed_at timestamptz NOT NULL,
    superseded_at timestamptz,
    CONSTRAINT project_demand_order CHECK (superseded_at >= assessed_at)
);
CREATE UNIQUE INDEX project_demand_one_current ON project_demand (project_id, pollutant)
    WHERE superseded_at IS NULL;

CREATE FUNCTION project_demand_is_superseded_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.superseded_at IS NULL AND NEW.superseded_at IS NOT NULL
        AND (NEW.id, NEW.project_id, NEW.pollutant, NEW.quantity, NEW.source, NEW.demo, NEW.assessed_at)
            IS NOT DISTINCT FROM
            (OLD.id, OLD.project_id, OLD.pollutant, OLD.quantity, OLD.source, OLD.demo, OLD.assessed_at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a demand is superseded once and never changed' USING ERRCODE = 'BD009';
END $$;
CREATE TRIGGER project_demand_superseded_once BEFORE UPDATE ON project_demand
    FOR EACH ROW EXECUTE FUNCTION project_demand_is_superseded_once();
CREATE TRIGGER project_demand_append_only BEFORE DELETE OR TRUNCATE ON project_demand
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- Whether a city met what opens it to rights from elsewhere, judged by the province for a year and a medium.
CREATE TABLE environment_assessment (
    id uuid PRIMARY KEY,
    city text NOT NULL CONSTRAINT environment_assessment_city REFERENCES division (code),
    year integer NOT NULL CONSTRAINT environment_assessment_year CHECK (year BETWEEN 2000 AND 2200),
    medium text NOT NULL CONSTRAINT environment_assessment_medium CHECK (medium IN ('air', 'water')),
    quality_attained boolean NOT NULL,
    reduction_task_done boolean NOT NULL,
    improvement_target_met boolean NOT NULL,
    source text NOT NULL CONSTRAINT environment_assessment_source CHECK (length(source) BETWEEN 1 AND 500),
    demo boolean NOT NULL DEFAULT false,
    changed_at timestamptz NOT NULL,
    CONSTRAINT environment_assessment_once UNIQUE (city, year, medium)
);
CREATE TRIGGER environment_assessment_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON environment_assessment
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
