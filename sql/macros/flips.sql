-- The pairs whose outcome is another under this rubric (its name, or the first 8 or more digits of its digest) than under
-- the seed, with their texts; under every rubric where it is null. A pair that could not be read is no flip.
CREATE MACRO flips(variant) AS TABLE
SELECT v.directory, v.rubric, r.rubric_id, v.dataset, v.row_key, p.category, p.label,
       outcome_of(s.straight, s.swapped) AS seed_outcome, outcome_of(v.straight, v.swapped) AS outcome,
       p.question, p.answer_a, p.answer_b
FROM _verdict_rows v
JOIN _verdict_rubrics r ON r.directory = v.directory AND r.rubric = v.rubric AND NOT r.is_seed
JOIN _verdict_rubrics seeds ON seeds.directory = v.directory AND seeds.is_seed
JOIN _verdict_rows s
  ON s.directory = v.directory AND s.rubric = seeds.rubric AND s.dataset = v.dataset AND s.row_key = v.row_key
JOIN _verdict_pairs p ON p.directory = v.directory AND p.dataset = v.dataset AND p.row_key = v.row_key
WHERE outcome_of(v.straight, v.swapped) <> outcome_of(s.straight, s.swapped)
  AND outcome_of(v.straight, v.swapped) <> 'unparsed' AND outcome_of(s.straight, s.swapped) <> 'unparsed'
  AND (variant IS NULL OR r.rubric_id = variant OR (length(variant) >= 8 AND starts_with(v.rubric, variant)));
