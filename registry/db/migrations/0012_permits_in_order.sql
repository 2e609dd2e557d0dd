-- The permits of a body are read along their index in the order of their list, the newest first.
DROP INDEX permit_of_organisation;
CREATE INDEX permit_of_organisation ON permit (organisation_id, registered_at DESC, id DESC);
