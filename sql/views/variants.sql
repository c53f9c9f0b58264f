-- The tree of rubric variants, of builds and of verdicts: parent, generation, the operators that made each and their
-- record, which replays it; adversarial where a search made it.
CREATE VIEW variants AS
SELECT origin, rubric_id, rubric, parent_id, generation, operators, edits, adversarial FROM _rubric_variants;
