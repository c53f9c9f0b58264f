-- Every verdict as it was given: one line a rubric, pair and order; swapped is true where the second answer was shown
-- first. The verdict speaks of the pair's own answers: A, B, C (a tie) or unparsed.
CREATE VIEW verdicts AS
SELECT v.directory, v.rubric, r.rubric_id, v.dataset, v.row_key, false AS swapped, v.straight AS verdict,
       v.straight_request AS request
FROM _verdict_rows v JOIN _verdict_rubrics r ON r.directory = v.directory AND r.rubric = v.rubric
WHERE v.straight IS NOT NULL
UNION ALL
SELECT v.directory, v.rubric, r.rubric_id, v.dataset, v.row_key, true, v.swapped, v.swapped_request
FROM _verdict_rows v JOIN _verdict_rubrics r ON r.directory = v.directory AND r.rubric = v.rubric
WHERE v.swapped IS NOT NULL;
