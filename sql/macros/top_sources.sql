-- The n documents that stand first most often: in how many outputs they rank first, and in how many they stand at all.
CREATE MACRO top_sources(n) AS TABLE
SELECT doc_id, any_value(source) AS source, any_value(row_id) AS row_id,
       count(DISTINCT output_id) FILTER (WHERE rank = 1) AS first_in, count(DISTINCT output_id) AS outputs,
       max(evidence) AS evidence
FROM _trace_matches GROUP BY doc_id ORDER BY first_in DESC, outputs DESC, evidence DESC, doc_id LIMIT n;
