-- How many pairs have which verdict in the one order and which in the other, by rubric and set: pairs judged in both.
-- Verdicts speak of the pair's own answers, so that A beside B means that the judge went by the place.
CREATE MACRO orders() AS TABLE
SELECT directory, rubric, dataset, straight, swapped, count(*) AS pairs
FROM _verdict_rows WHERE straight IS NOT NULL AND swapped IS NOT NULL
GROUP BY ALL;
