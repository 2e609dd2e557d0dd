-- What benchmarks/settle.py settles: enterprises, one right and money in their accounts, and cases that are paid.
-- Everything stands in the schema `bench`, which the owner makes and which goes with its database.

CREATE SCHEMA bench;
GRANT USAGE ON SCHEMA bench TO PUBLIC;

-- The identifiers of the population are numbers in disguise, so that pgbench can pick one at random.
CREATE FUNCTION bench.known(what text, n bigint) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (what || '0000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid;

-- One act stands behind all entries that no case wrote.
CREATE FUNCTION bench.act() RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '000000ac-0000-4000-8000-000000000000'::uuid;

CREATE FUNCTION bench.fill(enterprises integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_cities CONSTANT text[] := ARRAY(SELECT code FROM division WHERE level = 'city' ORDER BY code);
    v_centre CONSTANT uuid := bench.known('000c', 0);
    v_officer CONSTANT uuid := bench.known('000e', 0);
BEGIN
    INSERT INTO act (id, at, operation, kind, verb, object_id, role, edition, rule, facts, key, input)
    SELECT bench.act(), registry_now(), 'open_holding', 'Account', 'open_holding', bench.act(), 'province',
        l.edition, l.number, '{}', 'bench', '{}'
    FROM rule_line l WHERE 'allow' = ANY (l.cells) ORDER BY l.edition DESC, l.sequence LIMIT 1;

    INSERT INTO organisation (id, kind, name, division, city, county, state, registered_at, changed_at)
    SELECT v_centre, 'centre', 'the centre', '130000', '130000', '', 'open', registry_now(), registry_now()
    UNION ALL
    SELECT bench.known('000b', n), 'enterprise', 'enterprise ' || n, city, city, '', 'open', registry_now(),
        registry_now()
    FROM generate_series(1, enterprises) n, LATERAL (SELECT v_cities[1 + n % cardinality(v_cities)] AS city) c;
    INSERT INTO client (id, name, organisation_id, house, scopes, state, changed_at)
    VALUES (gen_random_uuid(), 'demonstration', v_centre, true, '{}', 'open', registry_now());
    INSERT INTO person (id, subject, name, organisation_id, side, from_outside, changed_at)
    VALUES (v_officer, 'bench-officer', 'officer', v_centre, 'official', false, registry_now());
    INSERT INTO appointment (id, person_id, side, organisation_id, role, division, may_initiate, may_approve,
        valid_from, from_outside, state, submitted_by, submitted_body, acted, changed_at)
    VALUES (v_officer, v_officer, 'official', v_centre, 'centre', '130000', true, true, '2020-01-01', false,
        'in_force', v_centre, v_centre, ARRAY[v_centre, bench.act()], registry_now());

    INSERT INTO instrument (id, code, class, pollutant, origin_city, acquisition, unit, scale)
    VALUES (bench.known('0001', 0), 'BENCH', 'right', 'SO2', v_cities[1], 'PAID', 't', 3);
    INSERT INTO account (id, organisation_id, kind)
    SELECT bench.known(k.prefix, n), bench.known('000b', n), k.kind
    FROM generate_series(1, enterprises) n, (VALUES ('000f', 'holding'), ('000d', 'escrow')) k (prefix, kind);
    FOR n IN 1 .. enterprises LOOP
        PERFORM post_entry(gen_random_uuid(), bench.act(), 'opening', registry_now(), NULL, NULL, '', 'bench', false,
            NULL, ARRAY['00000000-0000-4000-8000-000000000001'::uuid], ARRAY[bench.known('000f', n)],
            ARRAY[bench.known('0001', 0)], ARRAY[1000000000000]);
        PERFORM post_entry(gen_random_uuid(), bench.act(), 'payment', registry_now(), NULL, NULL, '', 'bench', false,
            'FILL-' || n, ARRAY['00000000-0000-4000-8000-000000000002'::uuid], ARRAY[bench.known('000f', n)],
            ARRAY['00000000-0000-4000-8000-000000000003'::uuid], ARRAY[1000000000000]);
    END LOOP;
END $$;

-- `cases` more that are paid and wait for settlement, inside one city each; their identifiers.
CREATE FUNCTION bench.cases(cases integer, enterprises integer, hot boolean) RETURNS SETOF uuid
    LANGUAGE plpgsql AS $$
DECLARE
    v_cities CONSTANT integer := (SELECT count(*) FROM division WHERE level = 'city');
    v_right CONSTANT uuid := bench.known('0001', 0);
    v_money CONSTANT uuid := '00000000-0000-4000-8000-000000000003';
    v_case uuid;
    v_seller integer;
    v_buyer integer;
BEGIN
    FOR n IN 1 .. cases LOOP
        v_case := gen_random_uuid();
        v_seller := CASE WHEN hot THEN 1 ELSE 1 + floor(random() * enterprises) END;
        -- Another of the same city: the cities take turns along the numbers.
        v_buyer := 1 + (v_seller - 1
            + v_cities * (1 + floor(random() * (enterprises / v_cities - 1)))::integer) % enterprises;
        INSERT INTO transfer (id, seller_id, seller_city, seller_county, buyer_id, buyer_city, buyer_county,
            instrument_id, quantity, price_fen, sum_fen, note, announcement, regime, state, deadline_at, offered_at,
            contract_number, bank_reference, submitted_by, submitted_body, acted, acted_for, drafted_at, changed_at)
        SELECT v_case, s.id, s.city, '', b.id, b.city, '', v_right, 1000, 750000, 750000, '', '', 'same_city', 'paid',
            '9999-12-31+00', registry_now(), v_case, v_case, bench.act(), s.id, '{}', '{}', registry_now(), registry_now()
        FROM organisation s, organisation b
        WHERE s.id = bench.known('000b', v_seller) AND b.id = bench.known('000b', v_buyer);
        PERFORM post_entry(gen_random_uuid(), bench.act(), 'block', registry_now(), NULL, NULL, '', NULL, false, NULL,
            ARRAY[bench.known('000f', v_seller)], ARRAY[bench.known('000d', v_seller)], ARRAY[v_right], ARRAY[1000]);
        PERFORM post_entry(gen_random_uuid(), bench.act(), 'payment', registry_now(), NULL, NULL, '', NULL, false,
            v_case::text, ARRAY['00000000-0000-4000-8000-000000000002'::uuid], ARRAY[bench.known('000d', v_buyer)],
            ARRAY[v_money], ARRAY[750000]);
        RETURN NEXT v_case;
    END LOOP;
END $$;
