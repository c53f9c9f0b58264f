-- The score of an outcome against the label A or B of its pair: 1 right, 0 wrong, half for a tie and for an unparsed
-- verdict; null where the pair has no label.
CREATE MACRO score_of(outcome, label) AS
CASE WHEN label IS NULL THEN NULL WHEN outcome = label THEN 1.0 WHEN outcome IN ('A', 'B') THEN 0.0 ELSE 0.5 END;
