-- Drift by a part of the pairs, an expression over the columns category, label, question, answer_a and answer_b:
-- FROM drift_by(category), or FROM drift_by(length(answer_a) > length(answer_b)). A tie and an unparsed verdict score half.
CREATE MACRO drift_by(part_of_pairs) AS TABLE
SELECT rubric_id, dataset, part_of_pairs AS part, count(*) AS pairs, avg(seed_score) AS seed_accuracy,
       avg(score) AS accuracy, avg(seed_score - score) AS drift
FROM beside_seed()
WHERE score IS NOT NULL
GROUP BY ALL ORDER BY ALL;
