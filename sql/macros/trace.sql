-- The maximal spans of any text, looked up now, with their counts and BCI; rarest first.
CREATE MACRO trace(wanted) AS TABLE
WITH found AS (SELECT unnest(spans_of(wanted)) AS s)
SELECT s.start AS start, s."end" AS "end", s.text AS text, s.tokens AS tokens, s.count AS count, bci(s.text) AS bci
FROM found ORDER BY count, start;
