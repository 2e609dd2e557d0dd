-- Reference data of the regulation and the standards: divisions, rivers, pollutants, industries, holidays, parameters.
-- Loaded by the owner from seeds/reference; the application role reads it.

CREATE TABLE division (
    code text PRIMARY KEY CONSTRAINT division_code CHECK (code ~ '^[1-9][0-9]{5}$'),
    name_zh text NOT NULL CONSTRAINT division_name_zh CHECK (name_zh <> ''),
    name_en text NOT NULL CONSTRAINT division_name_en CHECK (name_en <> ''),
    level text NOT NULL CONSTRAINT division_level CHECK (level IN ('province', 'city', 'county')),
    -- The city of a county, which need not share its prefix; of a city or province, the code itself.
    city text NOT NULL CONSTRAINT division_city REFERENCES division (code) DEFERRABLE INITIALLY DEFERRED,
    effective_from date,
    effective_until date,
    source text NOT NULL CONSTRAINT division_source CHECK (source <> ''),
    source_date date,
    provenance text NOT NULL CONSTRAINT division_provenance CHECK (provenance IN ('R', 'R~', 'A', 'K', 'I')),
    demo boolean NOT NULL DEFAULT false,
    needs_confirmation boolean NOT NULL DEFAULT false,
    CONSTRAINT division_parent CHECK ((level = 'county') = (city <> code)),
    CONSTRAINT division_period CHECK (effective_until >= effective_from)
);
CREATE INDEX division_by_city ON division (city);

CREATE TABLE river_system (
    code text PRIMARY KEY CONSTRAINT river_system_code CHECK (code ~ '^[a-z][a-z_]*$'),
    name_zh text NOT NULL CONSTRAINT river_system_name_zh CHECK (name_zh <> ''),
    name_en text NOT NULL CONSTRAINT river_system_name_en CHECK (name_en <> ''),
    basin text NOT NULL CONSTRAINT river_system_basin CHECK (basin IN ('liao', 'hai', 'inland')),
    source text NOT NULL CONSTRAINT river_system_source CHECK (source <> ''),
    source_date date,
    provenance text NOT NULL
        CONSTRAINT river_system_provenance CHECK (provenance IN ('R', 'R~', 'A', 'K', 'I')),
    demo boolean NOT NULL DEFAULT false,
    needs_confirmation boolean NOT NULL DEFAULT false
);

CREATE TABLE pollutant (
    code text PRIMARY KEY CONSTRAINT pollutant_code CHECK (code ~ '^[A-Z][A-Z0-9]*$'),
    name_zh text NOT NULL CONSTRAINT pollutant_name_zh CHECK (name_zh <> ''),
    name_en text NOT NULL CONSTRAINT pollutant_name_en CHECK (name_en <> ''),
    medium text NOT NULL CONSTRAINT pollutant_medium CHECK (medium IN ('air', 'water', 'mixed')),
    national_code text NOT NULL CONSTRAINT pollutant_national_code CHECK (national_code ~ '^[aw][0-9]{5}$'),
    -- The unit of the API, of which one is 10^scale base units: a tonne is 1000 kg, a kilogram 1000 g.
    unit text NOT NULL CONSTRAINT pollutant_unit CHECK (unit IN ('t', 'kg')),
    scale smallint NOT NULL CONSTRAINT pollutant_scale CHECK (scale BETWEEN 0 AND 6),
    status text NOT NULL CONSTRAINT pollutant_status CHECK (status IN ('active', 'planned', 'possible')),
    enabled_from date,
    source text NOT NULL CONSTRAINT pollutant_source CHECK (source <> ''),
    source_date date,
    provenance text NOT NULL CONSTRAINT pollutant_provenance CHECK (provenance IN ('R', 'R~', 'A', 'K', 'I')),
    demo boolean NOT NULL DEFAULT false,
    needs_confirmation boolean NOT NULL DEFAULT false,
    CONSTRAINT pollutant_enabled CHECK ((status = 'active') = (enabled_from IS NOT NULL))
);

CREATE TABLE industry (
    code text PRIMARY KEY CONSTRAINT industry_code CHECK (code ~ '^[0-9]{4}$'),
    name_zh text NOT NULL CONSTRAINT industry_name_zh CHECK (name_zh <> ''),
    name_en text NOT NULL CONSTRAINT industry_name_en CHECK (name_en <> ''),
    source_category text NOT NULL CONSTRAINT industry_source_category
        CHECK (source_category IN ('industrial', 'agricultural', 'central_treatment', 'other')),
    thermal_power boolean NOT NULL,
    two_high boolean NOT NULL,
    benchmark_industry boolean NOT NULL,
    source text NOT NULL CONSTRAINT industry_source CHECK (source <> ''),
    source_date date,
    provenance text NOT NULL CONSTRAINT industry_provenance CHECK (provenance IN ('R', 'R~', 'A', 'K', 'I')),
    demo boolean NOT NULL DEFAULT false,
    needs_confirmation boolean NOT NULL DEFAULT false
);

CREATE TABLE holiday (
    day date PRIMARY KEY,
    kind text NOT NULL CONSTRAINT holiday_kind CHECK (kind IN ('holiday', 'make_up', 'market_closure')),
    name_zh text NOT NULL CONSTRAINT holiday_name_zh CHECK (name_zh <> ''),
    name_en text NOT NULL CONSTRAINT holiday_name_en CHECK (name_en <> ''),
    source text NOT NULL CONSTRAINT holiday_source CHECK (source <> ''),
    source_date date,
    provenance text NOT NULL CONSTRAINT holiday_provenance CHECK (provenance IN ('R', 'R~', 'A', 'K', 'I')),
    demo boolean NOT NULL DEFAULT false,
    needs_confirmation boolean NOT NULL DEFAULT false,
    CONSTRAINT holiday_make_up_weekend CHECK (kind <> 'make_up' OR extract(isodow FROM day) >= 6)
);

-- Figures of the regulation by area, pollutant and period. NULL: the source does not give the value.
CREATE TABLE parameter (
    id uuid PRIMARY KEY,
    name text NOT NULL CONSTRAINT parameter_name CHECK (name ~ '^[a-z][a-z0-9_]*$'),
    -- A division, or empty for all; likewise the pollutant. The two columns after them carry the foreign keys.
    area text NOT NULL DEFAULT '',
    pollutant text NOT NULL DEFAULT '',
    area_named text GENERATED ALWAYS AS (nullif(area, '')) STORED
        CONSTRAINT parameter_area REFERENCES division (code),
    pollutant_named text GENERATED ALWAYS AS (nullif(pollutant, '')) STORED
        CONSTRAINT parameter_pollutant REFERENCES pollutant (code),
    effective_from date NOT NULL,
    effective_until date,
    value text,
    unit text NOT NULL CONSTRAINT parameter_unit CHECK (unit IN (
        'yuan_per_t', 'yuan_per_kg', 'percent', 'working_days', 'trading_days', 'years', 'minutes', 'count',
        'megawatts', 'flag', 'word', 'time')),
    -- Of a price; NULL: no source says.
    tax_included boolean,
    legal_basis text NOT NULL CONSTRAINT parameter_legal_basis CHECK (legal_basis <> ''),
    source text NOT NULL CONSTRAINT parameter_source CHECK (source <> ''),
    source_date date,
    provenance text NOT NULL CONSTRAINT parameter_provenance CHECK (provenance IN ('R', 'R~', 'A', 'K', 'I')),
    demo boolean NOT NULL DEFAULT false,
    needs_confirmation boolean NOT NULL DEFAULT false,
    CONSTRAINT parameter_once UNIQUE (name, area, pollutant, effective_from),
    CONSTRAINT parameter_period CHECK (effective_until >= effective_from),
    CONSTRAINT parameter_unknown CHECK (value IS NOT NULL OR needs_confirmation),
    CONSTRAINT parameter_value CHECK (CASE
        WHEN unit IN ('yuan_per_t', 'yuan_per_kg') THEN value ~ '^(0|[1-9][0-9]*)\.[0-9]{2}$'
        WHEN unit = 'flag' THEN value IN ('true', 'false')
        WHEN unit = 'time' THEN value ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'
        WHEN unit = 'word' THEN value ~ '^[A-Za-z][A-Za-z_]*$'
        ELSE value ~ '^(0|[1-9][0-9]{0,8})$' END),
    -- No two rows of one figure are in force on one day. Core PostgreSQL has no GiST over text, so the figure's
    -- name, area and pollutant enter as a hash, a range of one number. Judged at commit, so that two rows may
    -- exchange a day within one transaction.
    CONSTRAINT parameter_no_overlap EXCLUDE USING gist (
        int8range(
            hashtextextended(name || chr(31) || area || chr(31) || pollutant, 0),
            hashtextextended(name || chr(31) || area || chr(31) || pollutant, 0), '[]') WITH &&,
        daterange(effective_from, effective_until, '[]') WITH &&
    ) DEFERRABLE INITIALLY DEFERRED
);

-- A figure that the province has confirmed, with the document that sets it. It holds for the value it names: where
-- the file of reference data changes the value, the figure is unconfirmed again.
CREATE TABLE parameter_confirmation (
    id uuid PRIMARY KEY,
    parameter_id uuid NOT NULL CONSTRAINT parameter_confirmation_parameter REFERENCES parameter (id),
    value text NOT NULL,
    document_number text NOT NULL
        CONSTRAINT parameter_confirmation_document_number CHECK (length(document_number) BETWEEN 1 AND 100),
    source text NOT NULL CONSTRAINT parameter_confirmation_source CHECK (length(source) BETWEEN 1 AND 500),
    demo boolean NOT NULL DEFAULT false,
    changed_at timestamptz NOT NULL,
    CONSTRAINT parameter_confirmation_once UNIQUE (parameter_id, value)
);
CREATE INDEX parameter_confirmation_newest ON parameter_confirmation (changed_at DESC, id DESC);
CREATE TRIGGER parameter_confirmation_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON parameter_confirmation
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER parameter_confirmation_version AFTER INSERT ON parameter_confirmation
    FOR EACH STATEMENT EXECUTE FUNCTION step_reference_version();

-- The figures with what their confirmation says of them. In production those marked `demo` decide nothing.
CREATE VIEW parameter_figure AS
    SELECT p.id, p.name, p.area, p.pollutant, p.effective_from, p.effective_until, p.value, p.unit, p.tax_included,
        coalesce(c.document_number, p.legal_basis) AS legal_basis, coalesce(c.source, p.source) AS source,
        p.demo AND c.id IS NULL AS demo, p.needs_confirmation AND c.id IS NULL AS needs_confirmation
    FROM parameter p LEFT JOIN parameter_confirmation c ON c.parameter_id = p.id AND c.value = p.value;

CREATE TRIGGER division_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON division
    FOR EACH STATEMENT EXECUTE FUNCTION step_reference_version();
CREATE TRIGGER holiday_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON holiday
    FOR EACH STATEMENT EXECUTE FUNCTION step_reference_version();
CREATE TRIGGER parameter_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON parameter
    FOR EACH STATEMENT EXECUTE FUNCTION step_reference_version();
CREATE TRIGGER pollutant_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pollutant
    FOR EACH STATEMENT EXECUTE FUNCTION step_reference_version();
