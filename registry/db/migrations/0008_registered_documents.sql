-- The documents that client programs send by their hash, and the programs that send nothing else.

ALTER TABLE client ADD COLUMN registered_only boolean NOT NULL DEFAULT false;

CREATE TABLE client_document (
    client_id uuid NOT NULL CONSTRAINT client_document_client REFERENCES client (id),
    sha256 text NOT NULL,
    text text NOT NULL CONSTRAINT client_document_length CHECK (octet_length(text) BETWEEN 1 AND 32768),
    registered_at timestamptz NOT NULL,
    retired_at timestamptz,
    CONSTRAINT client_document_once PRIMARY KEY (client_id, sha256),
    -- Whoever sends the hash is answered as if he had sent this text and no other.
    CONSTRAINT client_document_hash CHECK (sha256 = encode(sha256(convert_to(text, 'UTF8')), 'hex'))
);
CREATE TRIGGER client_document_kept BEFORE UPDATE ON client_document
    FOR EACH ROW EXECUTE FUNCTION keep_columns('client_id', 'sha256', 'text');
CREATE TRIGGER client_document_epoch AFTER INSERT OR UPDATE OR DELETE ON client_document
    FOR EACH STATEMENT EXECUTE FUNCTION step_access_epoch();
