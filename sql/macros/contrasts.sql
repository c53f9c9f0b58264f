-- How many pairs have which outcome under each rubric and under the one whose digest is `seed`, by set, category and
-- label: all that the measures of drift are made of. Only pairs that both have judged.
CREATE MACRO contrasts(seed) AS TABLE
WITH first AS (
    SELECT directory, dataset, row_key, outcome_of(straight, swapped) AS seed_outcome
    FROM _verdict_rows WHERE rubric = seed
)
SELECT v.directory, v.rubric, v.dataset, p.category, p.label, s.seed_outcome,
       outcome_of(v.straight, v.swapped) AS outcome, count(*) AS pairs
FROM _verdict_rows v
JOIN first s ON s.directory = v.directory AND s.dataset = v.dataset AND s.row_key = v.row_key
JOIN _verdict_pairs p ON p.directory = v.directory AND p.dataset = v.dataset AND p.row_key = v.row_key
GROUP BY ALL;
