-- The pairs whose outcome is another under this rubric (its name, or the first 8 or more digits of its digest) than under
-- the seed, with their texts; under every rubric where it is null. A pair that could not be read is no flip.
CREATE MACRO flips(variant) AS TABLE
SELECT directory, rubric, rubric_id, dataset, row_key, category, label, seed_outcome, outcome, question, answer_a, answer_b
FROM beside_seed()
WHERE outcome <> seed_outcome AND outcome <> 'unparsed' AND seed_outcome <> 'unparsed'
  AND (variant IS NULL OR rubric_id = variant OR (length(variant) >= 8 AND starts_with(rubric, variant)));
