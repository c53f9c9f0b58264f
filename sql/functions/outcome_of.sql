-- What a judge made of a pair that it saw in one order or in both: a verdict counts where both orders agree and is a tie
-- (C) otherwise; unparsed where either answer could not be read.
CREATE MACRO outcome_of(straight, swapped) AS
CASE WHEN straight = 'unparsed' OR swapped = 'unparsed' THEN 'unparsed'
     WHEN swapped IS NULL THEN straight
     WHEN straight IS NULL OR straight = swapped THEN swapped
     ELSE 'C' END;
