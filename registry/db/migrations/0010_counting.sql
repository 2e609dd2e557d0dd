-- How many bodies of a kind a city has is counted in the index alone.
DROP INDEX organisation_city;
CREATE INDEX organisation_city ON organisation (city, name, id) INCLUDE (kind);
