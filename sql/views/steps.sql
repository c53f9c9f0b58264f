-- What was done to each row: one line a row and step that changed it, in order, with the builder's note.
CREATE VIEW steps AS
SELECT build_id, arm, split, index, row_id, position, s.step AS step, s.params_digest AS params_digest, s.note AS note
FROM (SELECT *, unnest(steps) AS s, generate_subscripts(steps, 1) AS position FROM _lineage_rows);
