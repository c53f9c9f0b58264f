-- Drift by a part of the pairs, an expression over the columns category, label, question, answer_a and answer_b:
-- FROM drift_by(category), or FROM drift_by(length(answer_a) > length(answer_b)). A tie and an unparsed verdict score half.
CREATE MACRO drift_by(part_of_pairs) AS TABLE
WITH scored AS (
    SELECT v.directory, v.rubric, v.dataset, part_of_pairs AS part,
           score_of(outcome_of(v.straight, v.swapped), p.label) AS score,
           score_of(outcome_of(s.straight, s.swapped), p.label) AS seed_score
    FROM _verdict_rows v
    JOIN _verdict_rubrics seeds ON seeds.directory = v.directory AND seeds.is_seed
    JOIN (SELECT directory, rubric, dataset, row_key, straight, swapped FROM _verdict_rows) s
      ON s.directory = v.directory AND s.rubric = seeds.rubric AND s.dataset = v.dataset AND s.row_key = v.row_key
    JOIN _verdict_pairs p ON p.directory = v.directory AND p.dataset = v.dataset AND p.row_key = v.row_key
    WHERE v.rubric <> seeds.rubric
)
SELECT r.rubric_id, d.dataset, d.part, count(*) AS pairs, avg(d.seed_score) AS seed_accuracy, avg(d.score) AS accuracy,
       avg(d.seed_score - d.score) AS drift
FROM scored d JOIN _verdict_rubrics r ON r.directory = d.directory AND r.rubric = d.rubric
WHERE d.score IS NOT NULL
GROUP BY ALL ORDER BY ALL;
