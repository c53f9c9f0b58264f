-- Where each row came from: one line a row and parent, a source row by file, index and line, or a row of another build.
CREATE VIEW parents AS
SELECT r.build_id, r.arm, r.split, r.index, r.row_id,
       p.source AS source, p.revision AS revision, p.sha256 AS sha256, p.file AS file,
       p.index AS source_index, p.line AS line,
       p.build_id AS parent_build_id, p.arm AS parent_arm, p.split AS parent_split, p.row_id AS parent_row_id
FROM (SELECT *, unnest(parents) AS p FROM _lineage_rows) r;
