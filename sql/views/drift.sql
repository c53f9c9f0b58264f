-- How far each rubric drifts from the seed on each set: accuracy of both, drift (seed minus variant), shares of pairs that
-- flipped, tied or could not be read. provkit drift adds intervals and tests.
CREATE VIEW drift AS
SELECT v.directory, r.rubric_id, v.rubric, v.dataset, count(*) AS pairs,
       avg(score_of(outcome_of(s.straight, s.swapped), p.label)) AS seed_accuracy,
       avg(score_of(outcome_of(v.straight, v.swapped), p.label)) AS accuracy,
       avg(score_of(outcome_of(s.straight, s.swapped), p.label)
           - score_of(outcome_of(v.straight, v.swapped), p.label)) AS drift,
       avg((outcome_of(v.straight, v.swapped) <> outcome_of(s.straight, s.swapped))::INTEGER) FILTER (
           WHERE outcome_of(v.straight, v.swapped) <> 'unparsed' AND outcome_of(s.straight, s.swapped) <> 'unparsed'
       ) AS flips,
       avg((outcome_of(v.straight, v.swapped) = 'C')::INTEGER) AS ties,
       avg((outcome_of(v.straight, v.swapped) = 'unparsed')::INTEGER) AS unparsed
FROM _verdict_rows v
JOIN _verdict_rubrics r ON r.directory = v.directory AND r.rubric = v.rubric AND NOT r.is_seed
JOIN _verdict_rubrics seeds ON seeds.directory = v.directory AND seeds.is_seed
JOIN _verdict_rows s
  ON s.directory = v.directory AND s.rubric = seeds.rubric AND s.dataset = v.dataset AND s.row_key = v.row_key
JOIN _verdict_pairs p ON p.directory = v.directory AND p.dataset = v.dataset AND p.row_key = v.row_key
GROUP BY ALL;
