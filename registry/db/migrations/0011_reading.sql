-- What the lists of transfers are read along: those of a city or county, in either order.
DROP INDEX transfer_of_seller_county, transfer_of_buyer_county;
CREATE INDEX transfer_of_seller_county ON transfer (seller_county, changed_at DESC, id DESC);
CREATE INDEX transfer_of_buyer_county ON transfer (buyer_county, changed_at DESC, id DESC);
CREATE INDEX transfer_newest_of_seller_city ON transfer (seller_city, drafted_at DESC, id DESC);
CREATE INDEX transfer_newest_of_buyer_city ON transfer (buyer_city, drafted_at DESC, id DESC);
CREATE INDEX transfer_newest_of_seller_county ON transfer (seller_county, drafted_at DESC, id DESC);
CREATE INDEX transfer_newest_of_buyer_county ON transfer (buyer_county, drafted_at DESC, id DESC);

-- Codes and units go into answers as they stand: nothing in them needs an escape.
ALTER TABLE organisation
    ADD CONSTRAINT organisation_city_code CHECK (city ~ '^[1-9][0-9]{5}$'),
    ADD CONSTRAINT organisation_county_code CHECK (county ~ '^([1-9][0-9]{5})?$');
ALTER TABLE instrument
    ADD CONSTRAINT instrument_code_plain CHECK (code ~ '^[0-9A-Z-]+$'),
    ADD CONSTRAINT instrument_unit_plain CHECK (unit ~ '^[0-9A-Za-z]+$');

-- No movement is larger than the largest sum there may be; what shows it relies on that, and so do sums of many.
ALTER TABLE posting ADD CONSTRAINT posting_quantity_bounded CHECK (quantity <= 1000000000000000);
