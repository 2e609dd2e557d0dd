-- One call returns all that decides a viewer's rights: the clock, the epoch, the client, and the sanctions and freezes
-- of the organisations.
CREATE FUNCTION read_access(p_client text, p_organisations uuid[]) RETURNS TABLE (
    epoch bigint, reference_version uuid, now timestamptz, clock_stopped boolean, edition integer,
    registered boolean, client_organisation uuid, scopes text[], first_party boolean, open boolean,
    measured uuid[], freezes boolean[], starts_at timestamptz[], ends_at timestamptz[]
) LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT e.epoch, e.reference_version, registry_now(), r.base_time IS NOT NULL AND r.running_since IS NULL,
        (SELECT max(version) FROM rule_edition),
        c.name IS NOT NULL, c.organisation_id, c.scopes, c.first_party, c.state = 'open', m.*
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
