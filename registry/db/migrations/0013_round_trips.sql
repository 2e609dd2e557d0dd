-- A change of reference data names another version of it: the processes that keep the old one load the new one.
-- A name, no number: after a fail-over that lost a change, a number could come again and mean other rows.
ALTER TABLE access_epoch ADD COLUMN reference_version uuid NOT NULL DEFAULT gen_random_uuid();

CREATE FUNCTION step_reference_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE access_epoch SET epoch = epoch + 1, reference_version = gen_random_uuid();
    RETURN NULL;
END $$;
CREATE TRIGGER division_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON division
    FOR EACH STATEMENT EXECUTE FUNCTION step_reference_version();
CREATE TRIGGER holiday_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON holiday
    FOR EACH STATEMENT EXECUTE FUNCTION step_reference_version();
CREATE TRIGGER parameter_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON parameter
    FOR EACH STATEMENT EXECUTE FUNCTION step_reference_version();
CREATE TRIGGER pollutant_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pollutant
    FOR EACH STATEMENT EXECUTE FUNCTION step_reference_version();

-- The clock, the epoch, a client program, and the measures against organisations. It is volatile, so that it sees
-- what was committed while the statement that calls it waited for its locks.
CREATE FUNCTION read_access(p_client text, p_organisations uuid[]) RETURNS TABLE (
    epoch bigint, reference_version uuid, now timestamptz, clock_stopped boolean, edition integer,
    registered boolean, body uuid, scopes text[], house boolean, open boolean,
    measured uuid[], freezes boolean[], starts_at timestamptz[], ends_at timestamptz[]
) LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT e.epoch, e.reference_version, registry_now(), r.reads IS NOT NULL AND r.since IS NULL,
        (SELECT max(version) FROM rule_edition),
        c.name IS NOT NULL, c.organisation_id, c.scopes, c.house, c.state = 'open', m.*
    FROM access_epoch e
    CROSS JOIN registry_clock r
    LEFT JOIN client c ON c.name = p_client
    CROSS JOIN (
        SELECT array_agg(one.organisation_id), array_agg(one.freezes), array_agg(one.starts_at), array_agg(one.ends_at)
        FROM (
            SELECT s.organisation_id, false AS freezes, s.starts_at, s.ends_at FROM sanction s
            WHERE s.organisation_id = ANY (p_organisations) AND s.state = 'in_force'
            UNION ALL
            SELECT f.organisation_id, true, f.starts_at, f.ends_at FROM freeze_order f
            WHERE f.organisation_id = ANY (p_organisations) AND f.target = 'organisation' AND f.lifted_at IS NULL
        ) AS one
    ) AS m;
END $$;
