-- The data of benchmarks/settlement.py: enterprises with a permit, one right and money in their accounts, and transfers in
-- a given state. The functions are in the schema `bench`, which the owner of the database makes.

CREATE SCHEMA bench;
GRANT USAGE ON SCHEMA bench TO PUBLIC;

-- An identifier contains a number, so that pgbench can pick one at random.
CREATE FUNCTION bench.known(what text, n bigint) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (what || '0000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid;

CREATE SEQUENCE bench.case_number;

-- All entries that the benchmark writes itself refer to one audit entry.
CREATE FUNCTION bench.audit_entry() RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '000000ac-0000-4000-8000-000000000000'::uuid;

CREATE FUNCTION bench.fill(enterprises integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_cities CONSTANT text[] := ARRAY(SELECT code FROM division WHERE level = 'city' ORDER BY code);
    v_centre CONSTANT uuid := bench.known('000c', 0);
BEGIN
    INSERT INTO audit_entry (id, at, operation, kind, verb, object_id, role, edition, rule, facts, key, input)
    SELECT bench.audit_entry(), registry_now(), 'open_holding', 'Account', 'open_holding', bench.audit_entry(), 'province',
        l.edition, l.number, '{}', 'bench', '{}'
    FROM rule_line l WHERE 'allow' = ANY (l.cells) ORDER BY l.edition DESC, l.sequence LIMIT 1;

    INSERT INTO organisation (id, kind, name, division, city, county, source_category, thermal_power, state,
        registered_at, changed_at)
    SELECT v_centre, 'centre', 'the centre', '130000', '130000', '', NULL, NULL::boolean, 'open',
        registry_now(), registry_now()
    UNION ALL
    SELECT bench.known('000c', n), 'city', 'bureau ' || city, city, city, '', NULL, NULL, 'open',
        registry_now(), registry_now()
    FROM unnest(v_cities) WITH ORDINALITY c (city, n)
    UNION ALL
    SELECT bench.known('000b', n), 'enterprise', 'enterprise ' || n, city, city, '', 'industrial', false, 'open',
        registry_now(), registry_now()
    FROM generate_series(1, enterprises) n, LATERAL (SELECT v_cities[1 + n % cardinality(v_cities)] AS city) c;
    INSERT INTO client (id, name, organisation_id, first_party, scopes, state, changed_at)
    VALUES (gen_random_uuid(), 'demonstration', v_centre, true, '{}', 'open', registry_now());
    -- An officer of the centre and one of each city: bench-officer-<code of the division>.
    INSERT INTO person (id, subject, name, organisation_id, side, appointed_externally, changed_at)
    SELECT bench.known('000e', split_part(o.id::text, '-', 5)::bigint), 'bench-officer-' || o.city, 'officer', o.id,
        'official', false, registry_now()
    FROM organisation o WHERE o.kind IN ('centre', 'city');
    INSERT INTO appointment (id, person_id, side, organisation_id, role, division, may_initiate, may_approve,
        valid_from, appointed_externally, state, submitted_by, submitting_organisation, signatories, changed_at)
    SELECT p.id, p.id, 'official', o.id, o.kind, o.city, true, true, '2020-01-01', false, 'in_force', v_centre, v_centre,
        ARRAY[v_centre, bench.audit_entry()], registry_now()
    FROM person p JOIN organisation o ON o.id = p.organisation_id;
    INSERT INTO permit (id, number, organisation_id, city, county, issued_by, category, valid_from, valid_until, state,
        source, registered_at, changed_at)
    SELECT bench.known('000a', n), 'BENCH' || lpad(n::text, 13, '0') || '001P', o.id, o.city, '', o.city, 'key',
        '2020-01-01', '2099-12-31', 'in_force', 'bench', registry_now(), registry_now()
    FROM generate_series(1, enterprises) n JOIN organisation o ON o.id = bench.known('000b', n);
    INSERT INTO permit_limit (id, permit_id, pollutant, quantity, effective_from, source)
    SELECT gen_random_uuid(), p.id, 'SO2', 1000000, '2020-01-01', 'bench' FROM permit p;

    INSERT INTO instrument (id, code, class, pollutant, origin_city, acquisition, unit, scale)
    VALUES (bench.known('0001', 0), 'BENCH', 'right', 'SO2', v_cities[1], 'PAID', 't', 3);
    INSERT INTO account (id, organisation_id, kind)
    SELECT bench.known(k.prefix, n), bench.known('000b', n), k.kind
    FROM generate_series(1, enterprises) n, (VALUES ('000f', 'holding'), ('000d', 'escrow')) k (prefix, kind);
    FOR n IN 1 .. enterprises LOOP
        PERFORM post_entry(gen_random_uuid(), bench.audit_entry(), 'opening', registry_now(), NULL, NULL, '', 'bench', false,
            NULL, ARRAY['00000000-0000-4000-8000-000000000001'::uuid], ARRAY[bench.known('000f', n)],
            ARRAY[bench.known('0001', 0)], ARRAY[1000000000000]);
        PERFORM post_entry(gen_random_uuid(), bench.audit_entry(), 'payment', registry_now(), NULL, NULL, '', 'bench', false,
            'FILL-' || n, ARRAY['00000000-0000-4000-8000-000000000002'::uuid], ARRAY[bench.known('000f', n)],
            ARRAY['00000000-0000-4000-8000-000000000003'::uuid], ARRAY[1000000000000]);
    END LOOP;
END $$;

-- Makes `transfers` transfers in a state, each inside one city; their identifiers and cities. `hot`: with one seller.
CREATE FUNCTION bench.make_transfers(transfers integer, enterprises integer, wanted_state text, hot boolean)
    RETURNS TABLE (transfer_id uuid, seller_city text)
    LANGUAGE plpgsql AS $$
DECLARE
    v_cities CONSTANT integer := (SELECT count(*) FROM division WHERE level = 'city');
    v_right CONSTANT uuid := bench.known('0001', 0);
    v_money CONSTANT uuid := '00000000-0000-4000-8000-000000000003';
    v_paid CONSTANT boolean := wanted_state = 'paid';
    v_seller integer;
    v_buyer integer;
BEGIN
    FOR n IN 1 .. transfers LOOP
        transfer_id := gen_random_uuid();
        v_seller := CASE WHEN hot THEN 1 ELSE 1 + floor(random() * enterprises) END;
        -- Another enterprise of the same city: the cities take turns along the numbers.
        v_buyer := 1 + (v_seller - 1
            + v_cities * (1 + floor(random() * (enterprises / v_cities - 1)))::integer) % enterprises;
        INSERT INTO transfer (id, case_number, seller_id, seller_city, seller_county, buyer_id, buyer_city, buyer_county,
            instrument_id, quantity, price_fen, sum_fen, note, announcement, regime, state, deadline_at, offered_at,
            contract_number, bank_reference, submitted_by, submitting_organisation, signatories, signed_for, drafted_at, changed_at)
        SELECT transfer_id, 'SL-2000-' || lpad(nextval('bench.case_number')::text, 9, '0'), s.id, s.city, '', b.id, b.city, '', v_right, 1000, 750000, 750000, '', '', 'same_city',
            wanted_state, '9999-12-31+00', registry_now(), CASE WHEN v_paid THEN transfer_id::text ELSE '' END,
            CASE WHEN v_paid THEN transfer_id::text ELSE '' END, bench.audit_entry(), s.id, '{}', '{}', registry_now(),
            registry_now()
        FROM organisation s, organisation b
        WHERE s.id = bench.known('000b', v_seller) AND b.id = bench.known('000b', v_buyer)
        RETURNING transfer.seller_city INTO seller_city;
        PERFORM post_entry(gen_random_uuid(), bench.audit_entry(), 'block', registry_now(), NULL, NULL, '', NULL, false,
            NULL, ARRAY[bench.known('000f', v_seller)], ARRAY[bench.known('000d', v_seller)], ARRAY[v_right], ARRAY[1000]);
        IF v_paid THEN
            PERFORM post_entry(gen_random_uuid(), bench.audit_entry(), 'payment', registry_now(), NULL, NULL, '', NULL,
                false, transfer_id::text, ARRAY['00000000-0000-4000-8000-000000000002'::uuid],
                ARRAY[bench.known('000d', v_buyer)], ARRAY[v_money], ARRAY[750000]);
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;
