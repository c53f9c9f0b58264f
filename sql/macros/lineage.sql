-- The whole way back of a row, by its row_id: depth 0 is the row, each further depth its parents, through every build
-- that is open. A parent in a source file ends the way, and so does a build that is not open.
CREATE MACRO lineage(wanted) AS TABLE
WITH RECURSIVE back AS (
    SELECT 0 AS depth, build_id, arm, split, index, row_id, op, steps, parents,
           NULL::VARCHAR AS source, NULL::VARCHAR AS file, NULL::BIGINT AS source_index, NULL::BIGINT AS line,
           NULL::VARCHAR AS sha256
    FROM _lineage_rows WHERE row_id = wanted
    UNION ALL
    SELECT up.depth + 1, p.build_id, p.arm, p.split, CASE WHEN p.build_id IS NOT NULL THEN p.index END, p.row_id,
           r.op, r.steps, r.parents, p.source, p.file, p.index, p.line, p.sha256
    FROM (SELECT depth, unnest(parents) AS p FROM back WHERE depth < 64) up  -- a forged chain may have no end
    LEFT JOIN _lineage_rows r
           ON r.build_id = p.build_id AND r.arm = p.arm AND r.split = p.split AND r.index = p.index
)
SELECT depth, build_id, arm, split, index, row_id, op,
       list_transform(steps, lambda s: s.step) AS steps, source, file, source_index, line, sha256
FROM back ORDER BY depth;
