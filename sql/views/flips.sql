-- Every pair whose outcome changed between the seed and another rubric: A, B, C (a tie, or two orders that differ).
CREATE VIEW flips AS
SELECT directory, rubric, rubric_id, dataset, row_key, category, label, seed_outcome, outcome FROM flips(NULL::VARCHAR);
