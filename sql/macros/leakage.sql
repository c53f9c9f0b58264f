-- Which rows of a build (named by its build_id or the first digits of it) share a run of at least `least` tokens with
-- the indexed corpus: an evaluation set that leaked into training data, for example.
CREATE MACRO leakage(build, least) AS TABLE
WITH found AS (
    SELECT build_id, arm, split, index, field, message, role, unnest(spans_of(text)) AS s
    FROM texts WHERE starts_with(build_id, build)
)
SELECT build_id, arm, split, index, field, message, role, s.text AS shared, s.tokens AS tokens, s.count AS count
FROM found WHERE s.tokens >= least ORDER BY tokens DESC, arm, split, index;
