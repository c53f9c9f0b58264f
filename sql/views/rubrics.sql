-- The rubrics of the verdicts that are open, seed and variants: name, digest, text, and the file they were read from.
CREATE VIEW rubrics AS
SELECT directory, rubric, rubric_id, is_seed, text, file FROM _verdict_rubrics;
