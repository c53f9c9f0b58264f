-- Each pair under each rubric but the seed, beside the same pair under the seed: outcomes (A, B, C for a tie or two orders
-- that differ, unparsed), and scores against the label, null where the pair has none; a tie and an unparsed one score half.
CREATE MACRO beside_seed() AS TABLE
SELECT v.directory, v.rubric, r.rubric_id, v.dataset, v.row_key, p.category, p.label, p.question, p.answer_a, p.answer_b,
       outcome_of(s.straight, s.swapped) AS seed_outcome, outcome_of(v.straight, v.swapped) AS outcome,
       score_of(seed_outcome, p.label) AS seed_score, score_of(outcome, p.label) AS score
FROM _verdict_rows v
JOIN _verdict_rubrics r ON r.directory = v.directory AND r.rubric = v.rubric AND NOT r.is_seed
JOIN _verdict_rubrics seeds ON seeds.directory = v.directory AND seeds.is_seed
JOIN _verdict_rows s
  ON s.directory = v.directory AND s.rubric = seeds.rubric AND s.dataset = v.dataset AND s.row_key = v.row_key
JOIN _verdict_pairs p ON p.directory = v.directory AND p.dataset = v.dataset AND p.row_key = v.row_key;
