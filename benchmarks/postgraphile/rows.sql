-- Views and row-level security of PostGraphile that show the same rows as the rule book: a role for each
-- role of the book, claims as settings of the transaction, each evaluated once per statement. Run by a superuser, again
-- and again.

DO $$
BEGIN
    CREATE ROLE portal LOGIN NOINHERIT;
    CREATE ROLE portal_city;
    CREATE ROLE portal_enterprise;
    GRANT portal_city, portal_enterprise TO portal;
    -- The registry filters rows by itself; the policies below are not for it.
    ALTER ROLE biandan_app BYPASSRLS;
    ALTER ROLE biandan_reader BYPASSRLS;
EXCEPTION WHEN duplicate_object THEN
    NULL;
END $$;

GRANT USAGE ON SCHEMA public TO portal, portal_city, portal_enterprise;
GRANT SELECT ON division, pollutant, instrument, organisation, permit, account, balance, transfer
    TO portal, portal_city, portal_enterprise;
GRANT EXECUTE ON FUNCTION registry_now() TO portal, portal_city, portal_enterprise;

-- Two keys that the tables have without saying so: the shortest way from an account to its balances, and to a city.
COMMENT ON TABLE balance IS E'@foreignKey (account_id) references account (id)';
COMMENT ON TABLE organisation IS E'@foreignKey (city) references division (code)';

DO $$
DECLARE
    v_policy record;
BEGIN
    FOR v_policy IN SELECT policyname, tablename FROM pg_policies LOOP
        EXECUTE format('DROP POLICY %I ON %I', v_policy.policyname, v_policy.tablename);
    END LOOP;
END $$;

ALTER TABLE account ENABLE ROW LEVEL SECURITY;
ALTER TABLE balance ENABLE ROW LEVEL SECURITY;
ALTER TABLE transfer ENABLE ROW LEVEL SECURITY;

-- L-01, L-02.
CREATE POLICY own ON account TO portal_city, portal_enterprise
    USING (organisation_id = (SELECT current_setting('viewer.organisation')::uuid));
CREATE POLICY inside ON account TO portal_city
    USING (city = (SELECT current_setting('viewer.division')) OR county = (SELECT current_setting('viewer.division')));
-- The API lists rights, not money, and no empty position.
CREATE POLICY rights ON balance TO portal_city, portal_enterprise
    USING (quantity <> 0 AND instrument_id <> '00000000-0000-4000-8000-000000000003'
        AND EXISTS (SELECT FROM account a WHERE a.id = account_id));
-- T-20 to T-23.
CREATE POLICY own_sale ON transfer TO portal_enterprise
    USING (seller_id = (SELECT current_setting('viewer.organisation')::uuid));
CREATE POLICY own_purchase ON transfer TO portal_enterprise
    USING (buyer_id = (SELECT current_setting('viewer.organisation')::uuid) AND offered_at < '9999-12-31+00');
CREATE POLICY seller_inside ON transfer TO portal_city
    USING (seller_city = (SELECT current_setting('viewer.division'))
        OR seller_county = (SELECT current_setting('viewer.division')));
CREATE POLICY buyer_inside ON transfer TO portal_city
    USING ((buyer_city = (SELECT current_setting('viewer.division'))
        OR buyer_county = (SELECT current_setting('viewer.division'))) AND offered_at < '9999-12-31+00');
