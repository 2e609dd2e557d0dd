-- Whoever acts for a closed organisation acts no longer: what readers remember of him must go then.
CREATE TRIGGER organisation_epoch AFTER UPDATE ON organisation
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION step_access_epoch();
