-- Every candidate that did not make it: the arm (null before the arms part), the step, the reason, and where it came from.
CREATE VIEW drops AS
SELECT build_id, arm, step, reason, detail,
       parents[1].source AS source, parents[1].file AS file, parents[1].index AS source_index, parents[1].line AS line,
       parents
FROM _lineage_drops;
