-- Negotiated transfers from draft to settlement, opinions, comments, eligibility findings, certificates.

-- Every column a fact may read is in the row itself: NOT NULL, indexed, as of the draft.
CREATE TABLE transfer (
    id uuid CONSTRAINT transfer_pkey PRIMARY KEY,
    -- The number of the case (受理编号); number_transfer gives it to a draft.
    case_number text NOT NULL DEFAULT '' CONSTRAINT transfer_case_numbered CHECK (case_number ~ '^SL-[0-9]{4}-[0-9]{6,}$'),
    seller_id uuid NOT NULL CONSTRAINT transfer_seller_known REFERENCES organisation (id),
    seller_city text NOT NULL CONSTRAINT transfer_seller_city_known REFERENCES division (code),
    seller_county text NOT NULL,
    buyer_id uuid NOT NULL CONSTRAINT transfer_buyer_known REFERENCES organisation (id),
    buyer_city text NOT NULL CONSTRAINT transfer_buyer_city_known REFERENCES division (code),
    buyer_county text NOT NULL,
    instrument_id uuid NOT NULL CONSTRAINT transfer_instrument_known REFERENCES instrument (id),
    quantity bigint NOT NULL,
    price_fen bigint NOT NULL,
    sum_fen bigint NOT NULL,
    note text NOT NULL,
    -- Where and when the seller gave notice of the sale in its own city; required across cities only.
    announced_on date,
    announcement text NOT NULL,
    regime text NOT NULL,
    state text NOT NULL,
    -- The last moment of the present state; the year 9999 where it has none.
    deadline_at timestamptz NOT NULL,
    -- When the offer reached the buyer; the year 9999 before that, and where it never did.
    offered_at timestamptz NOT NULL DEFAULT '9999-12-31+00',
    -- The side whose second signature is awaited, and the last day the seller set for acceptance.
    awaiting text NOT NULL DEFAULT '',
    accept_by date,
    seller_opinion text NOT NULL DEFAULT '',
    buyer_opinion text NOT NULL DEFAULT '',
    contract_number text NOT NULL DEFAULT '',
    bank_reference text NOT NULL DEFAULT '',
    number text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    in_default text NOT NULL DEFAULT '',
    submitted_by uuid NOT NULL,
    submitting_organisation uuid NOT NULL,
    signatories uuid[] NOT NULL
        CONSTRAINT transfer_signatories_named CHECK (array_position(signatories, NULL) IS NULL),
    -- The organisation each of them first signed for, in the same order.
    signed_for uuid[] NOT NULL CONSTRAINT transfer_signed_for_named CHECK (
        array_position(signed_for, NULL) IS NULL AND cardinality(signed_for) = cardinality(signatories)),
    demo boolean NOT NULL DEFAULT false,
    drafted_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT transfer_case_number_unique UNIQUE (case_number),
    CONSTRAINT transfer_two_sides CHECK (seller_id <> buyer_id),
    CONSTRAINT transfer_quantity_bounded CHECK (quantity BETWEEN 1 AND 10000000000000),
    CONSTRAINT transfer_price_bounded CHECK (price_fen BETWEEN 1 AND 1000000000000000),
    CONSTRAINT transfer_sum_bounded CHECK (sum_fen BETWEEN 1 AND 1000000000000000),
    CONSTRAINT transfer_texts_bounded CHECK (
        length(note) <= 2000 AND length(reason) <= 2000 AND length(announcement) <= 500),
    CONSTRAINT transfer_notice_whole CHECK ((announced_on IS NOT NULL) = (announcement <> '')),
    CONSTRAINT transfer_regime_known CHECK (regime IN ('same_city', 'pilot', 'cross_region', 'unknown')),
    CONSTRAINT transfer_state_known CHECK (state IN ('draft', 'awaiting_signature', 'offered', 'accepted', 'eligible',
        'approved', 'contracted', 'paid', 'settled', 'withdrawn', 'rejected', 'expired', 'defaulted')),
    CONSTRAINT transfer_awaiting_known CHECK (
        awaiting IN ('', 'seller', 'buyer') AND (awaiting <> '') = (state = 'awaiting_signature')),
    CONSTRAINT transfer_opinions_known CHECK (
        seller_opinion IN ('', 'favourable', 'unfavourable') AND buyer_opinion IN ('', 'favourable', 'unfavourable')),
    CONSTRAINT transfer_opinions_across CHECK (
        seller_city <> buyer_city OR (seller_opinion = '' AND buyer_opinion = '')),
    -- Across cities nothing is approved before both cities have given an opinion.
    CONSTRAINT transfer_opinions_first CHECK (
        seller_city = buyer_city OR (seller_opinion <> '' AND buyer_opinion <> '')
        OR state NOT IN ('approved', 'contracted', 'paid', 'settled', 'defaulted')),
    CONSTRAINT transfer_deadline_kept CHECK (
        (deadline_at < '9999-12-31+00') = (state IN ('awaiting_signature', 'offered', 'approved', 'contracted'))),
    CONSTRAINT transfer_offer_kept CHECK (CASE
        WHEN state = 'draft' OR awaiting = 'seller' THEN offered_at = '9999-12-31+00'
        ELSE offered_at < '9999-12-31+00' OR state IN ('withdrawn', 'expired') END),
    CONSTRAINT transfer_contract_numbered CHECK (
        (contract_number <> '') = (state IN ('contracted', 'paid', 'settled', 'defaulted'))),
    CONSTRAINT transfer_payment_referenced CHECK (
        (bank_reference <> '') = (state IN ('paid', 'settled')) OR state = 'defaulted'),
    CONSTRAINT transfer_settled_numbered CHECK ((number <> '') = (state = 'settled')),
    CONSTRAINT transfer_default_named CHECK (
        in_default IN ('', 'seller', 'buyer') AND (in_default <> '') = (state = 'defaulted')),
    CONSTRAINT transfer_reason_given CHECK (
        (reason <> '') = (state IN ('withdrawn', 'rejected', 'defaulted')))
);
CREATE INDEX transfer_of_seller ON transfer (seller_id, state);
CREATE INDEX transfer_of_buyer ON transfer (buyer_id, state);
CREATE INDEX transfer_of_seller_city ON transfer (seller_city, changed_at DESC, id DESC);
CREATE INDEX transfer_of_buyer_city ON transfer (buyer_city, changed_at DESC, id DESC);
CREATE INDEX transfer_of_seller_county ON transfer (seller_county, changed_at DESC, id DESC);
CREATE INDEX transfer_of_buyer_county ON transfer (buyer_county, changed_at DESC, id DESC);
CREATE INDEX transfer_of_instrument ON transfer (instrument_id, state);
CREATE INDEX transfer_by_state ON transfer (state, changed_at DESC, id DESC);
CREATE INDEX transfer_newest ON transfer (drafted_at DESC, id DESC);
CREATE INDEX transfer_newest_of_seller_city ON transfer (seller_city, drafted_at DESC, id DESC);
CREATE INDEX transfer_newest_of_buyer_city ON transfer (buyer_city, drafted_at DESC, id DESC);
CREATE INDEX transfer_newest_of_seller_county ON transfer (seller_county, drafted_at DESC, id DESC);
CREATE INDEX transfer_newest_of_buyer_county ON transfer (buyer_county, drafted_at DESC, id DESC);
CREATE INDEX transfer_due ON transfer (deadline_at) WHERE deadline_at < '9999-12-31+00';
CREATE UNIQUE INDEX transfer_number_unique ON transfer (number) WHERE number <> '';
CREATE UNIQUE INDEX transfer_contract_number_unique ON transfer (comparison_form(contract_number))
    WHERE contract_number <> '';

-- The terms of a case never change, nor whether it was offered, and what has ended stays ended. Each side has the
-- opinion that its own city gave, once.
CREATE FUNCTION keep_transfer_terms() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.state IN ('settled', 'withdrawn', 'rejected', 'expired', 'defaulted') THEN
        RAISE EXCEPTION 'transfer % has ended', OLD.id USING ERRCODE = 'BD009';
    END IF;
    IF (OLD.case_number, OLD.seller_id, OLD.seller_city, OLD.seller_county, OLD.buyer_id, OLD.buyer_city, OLD.buyer_county,
            OLD.instrument_id, OLD.quantity, OLD.price_fen, OLD.sum_fen, OLD.note, OLD.announced_on, OLD.announcement,
            OLD.submitted_by, OLD.submitting_organisation, OLD.demo, OLD.drafted_at)
        IS DISTINCT FROM
        (NEW.case_number, NEW.seller_id, NEW.seller_city, NEW.seller_county, NEW.buyer_id, NEW.buyer_city, NEW.buyer_county,
            NEW.instrument_id, NEW.quantity, NEW.price_fen, NEW.sum_fen, NEW.note, NEW.announced_on, NEW.announcement,
            NEW.submitted_by, NEW.submitting_organisation, NEW.demo, NEW.drafted_at) THEN
        RAISE EXCEPTION 'the terms of transfer % do not change', OLD.id USING ERRCODE = 'BD009';
    END IF;
    IF OLD.offered_at < '9999-12-31+00' AND NEW.offered_at <> OLD.offered_at THEN
        RAISE EXCEPTION 'transfer % was offered once', OLD.id USING ERRCODE = 'BD009';
    END IF;
    IF (OLD.seller_opinion, OLD.buyer_opinion) IS DISTINCT FROM (NEW.seller_opinion, NEW.buyer_opinion) AND EXISTS (
        SELECT FROM (VALUES (OLD.seller_opinion, NEW.seller_opinion, NEW.seller_city),
            (OLD.buyer_opinion, NEW.buyer_opinion, NEW.buyer_city)) AS side (before, opinion, city)
        WHERE side.opinion <> side.before AND (side.before <> '' OR NOT EXISTS (
            SELECT FROM transfer_opinion o WHERE o.transfer_id = NEW.id AND o.city = side.city
                AND o.favourable = (side.opinion = 'favourable')))) THEN
        RAISE EXCEPTION 'an opinion on transfer % is not that of its city', OLD.id USING ERRCODE = 'BD009';
    END IF;
    RETURN NEW;
END $$;
-- The last number of a case in a year. Its row is locked from the INSERT of a draft, one of the last statements of its
-- command, until COMMIT.
CREATE TABLE case_number_sequence (
    year integer CONSTRAINT case_number_sequence_pkey PRIMARY KEY,
    last integer NOT NULL CONSTRAINT case_number_sequence_counts CHECK (last > 0)
);
CREATE FUNCTION number_transfer() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_year CONSTANT integer := extract(year FROM china_date(NEW.drafted_at));
    v_last integer;
BEGIN
    INSERT INTO case_number_sequence (year, last) VALUES (v_year, 1)
        ON CONFLICT (year) DO UPDATE SET last = case_number_sequence.last + 1 RETURNING last INTO v_last;
    NEW.case_number := format('SL-%s-%s', v_year, lpad(v_last::text, greatest(6, length(v_last::text)), '0'));
    RETURN NEW;
END $$;
CREATE TRIGGER transfer_numbered BEFORE INSERT ON transfer FOR EACH ROW WHEN (NEW.case_number = '')
    EXECUTE FUNCTION number_transfer();
CREATE TRIGGER transfer_terms_kept BEFORE UPDATE ON transfer FOR EACH ROW EXECUTE FUNCTION keep_transfer_terms();
CREATE TRIGGER transfer_never_removed BEFORE DELETE OR TRUNCATE ON transfer
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE transfer_opinion (
    id uuid CONSTRAINT transfer_opinion_pkey PRIMARY KEY,
    transfer_id uuid NOT NULL CONSTRAINT transfer_opinion_transfer_known REFERENCES transfer (id),
    city text NOT NULL CONSTRAINT transfer_opinion_city_known REFERENCES division (code),
    favourable boolean NOT NULL,
    reasons text NOT NULL CONSTRAINT transfer_opinion_reasoned CHECK (length(reasons) BETWEEN 1 AND 2000),
    -- Audit entries are written after their operation has run.
    audit_entry_id uuid NOT NULL CONSTRAINT transfer_opinion_audit_entry_known REFERENCES audit_entry (id) DEFERRABLE INITIALLY DEFERRED,
    given_at timestamptz NOT NULL,
    CONSTRAINT transfer_opinion_once UNIQUE (transfer_id, city)
);
CREATE FUNCTION keep_opinions_to_the_two_cities() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM transfer t WHERE t.id = NEW.transfer_id AND NEW.city IN (t.seller_city, t.buyer_city)
            AND t.seller_city <> t.buyer_city) THEN
        RAISE EXCEPTION '% is not one of two cities of transfer %', NEW.city, NEW.transfer_id
            USING ERRCODE = 'BD009';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER transfer_opinion_of_its_cities BEFORE INSERT ON transfer_opinion
    FOR EACH ROW EXECUTE FUNCTION keep_opinions_to_the_two_cities();

CREATE TABLE transfer_comment (
    id uuid CONSTRAINT transfer_comment_pkey PRIMARY KEY,
    transfer_id uuid NOT NULL CONSTRAINT transfer_comment_transfer_known REFERENCES transfer (id),
    county text NOT NULL CONSTRAINT transfer_comment_county_known REFERENCES division (code),
    text text NOT NULL CONSTRAINT transfer_comment_said CHECK (length(text) BETWEEN 1 AND 2000),
    audit_entry_id uuid NOT NULL CONSTRAINT transfer_comment_audit_entry_known REFERENCES audit_entry (id) DEFERRABLE INITIALLY DEFERRED,
    given_at timestamptz NOT NULL
);
CREATE INDEX transfer_comment_of_transfer ON transfer_comment (transfer_id, given_at);

-- The centre's findings on the eligibility of both sides: each condition with its legal basis and source.
CREATE TABLE eligibility_finding (
    id uuid CONSTRAINT eligibility_finding_pkey PRIMARY KEY,
    transfer_id uuid NOT NULL CONSTRAINT eligibility_finding_transfer_known REFERENCES transfer (id),
    name text NOT NULL,
    met boolean NOT NULL,
    message_en text NOT NULL,
    message_zh text NOT NULL,
    legal_basis text NOT NULL CONSTRAINT eligibility_finding_legal_basis CHECK (legal_basis <> ''),
    source text NOT NULL CONSTRAINT eligibility_finding_sourced CHECK (source <> ''),
    evaluated_on date NOT NULL,
    audit_entry_id uuid NOT NULL CONSTRAINT eligibility_finding_audit_entry_known REFERENCES audit_entry (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT eligibility_finding_once UNIQUE (transfer_id, name)
);

-- 交易鉴证书: public, and therefore without the price. Void where its entry was reversed, which the ledger knows.
CREATE TABLE certificate (
    id uuid CONSTRAINT certificate_pkey PRIMARY KEY,
    number text NOT NULL CONSTRAINT certificate_number_form CHECK (number ~ '^HB-[0-9]{6}-[0-9]{4}-[0-9]{5,}$'),
    transfer_id uuid NOT NULL CONSTRAINT certificate_transfer_known REFERENCES transfer (id),
    entry_id uuid NOT NULL CONSTRAINT certificate_entry_known REFERENCES entry (id),
    issued_at timestamptz NOT NULL,
    seller_id uuid NOT NULL CONSTRAINT certificate_seller_known REFERENCES organisation (id),
    buyer_id uuid NOT NULL CONSTRAINT certificate_buyer_known REFERENCES organisation (id),
    pollutant text NOT NULL CONSTRAINT certificate_pollutant_known REFERENCES pollutant (code),
    quantity bigint NOT NULL CONSTRAINT certificate_quantity_positive CHECK (quantity > 0),
    demo boolean NOT NULL DEFAULT false,
    CONSTRAINT certificate_number_unique UNIQUE (number),
    CONSTRAINT certificate_transfer_unique UNIQUE (transfer_id)
);
CREATE INDEX certificate_newest ON certificate (issued_at DESC, id DESC);

-- The last number given in a city and year. The row's lock makes the numbers follow each other without a gap.
CREATE TABLE certificate_sequence (
    city text NOT NULL CONSTRAINT certificate_sequence_city_known REFERENCES division (code),
    year integer NOT NULL,
    last integer NOT NULL CONSTRAINT certificate_sequence_counts CHECK (last > 0),
    CONSTRAINT certificate_sequence_pkey PRIMARY KEY (city, year)
);

CREATE TRIGGER transfer_opinion_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transfer_opinion
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER transfer_comment_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transfer_comment
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER eligibility_finding_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON eligibility_finding
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER certificate_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON certificate
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
