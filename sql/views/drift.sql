-- How far each rubric drifts from the seed on each set: accuracy of both, drift (seed minus variant), shares of pairs that
-- flipped, tied or could not be read. provkit drift adds intervals and tests.
CREATE VIEW drift AS
SELECT directory, rubric_id, rubric, dataset, count(*) AS pairs, avg(seed_score) AS seed_accuracy,
       avg(score) AS accuracy, avg(seed_score - score) AS drift,
       avg((outcome <> seed_outcome)::INTEGER) FILTER (WHERE outcome <> 'unparsed' AND seed_outcome <> 'unparsed')
           AS flips,
       avg((outcome = 'C')::INTEGER) AS ties, avg((outcome = 'unparsed')::INTEGER) AS unparsed
FROM beside_seed()
GROUP BY ALL;
