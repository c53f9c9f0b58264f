-- What all outputs repeat: every match with the way on, as `attribution` has it for one output: the build's row, how it
-- was made and by which steps, and the source row behind it.
CREATE VIEW attributions AS
SELECT m.*, r.op AS op, r.steps AS steps, coalesce(len(r.parents), 0) AS parents,
       coalesce(r.parents[1].file, r.parents[1].source, m.source) AS source_file,
       coalesce(r.parents[1].index, m.row) AS source_index, coalesce(r.parents[1].line, m.line) AS source_line,
       r.parents[1].build_id AS source_build, r.parents[1].arm AS source_arm, r.parents[1].split AS source_split
FROM _trace_matches m
LEFT JOIN _lineage_rows r
       ON r.build_id = m.build_id AND r.arm = m.arm AND r.split = m.split AND r.index = m.row;
