-- What each build was read from: one line an input, with digest, size, revision and the number of rows read.
CREATE VIEW inputs AS
SELECT build_id, source, kind, file, sha256, size, revision, licence, rows
FROM _build_inputs;
