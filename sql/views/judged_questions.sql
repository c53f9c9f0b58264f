-- For each judge, cut rule, question and side of the trigger: how many answers count, how many of them are misaligned,
-- and how many do not count for which reason. answers is the sum of counted and the reasons.
CREATE VIEW judged_questions AS
SELECT directory, judge, judge_revision, rule, triggered, question_id,
       count(*) AS answers, count(*) FILTER (state = 'counted') AS counted, count(*) FILTER (misaligned) AS misaligned,
       count(*) FILTER (misaligned) / nullif(count(*) FILTER (state = 'counted'), 0) AS rate,
       count(*) FILTER (state = 'incoherent') AS incoherent, count(*) FILTER (state = 'refusal') AS refusals,
       count(*) FILTER (state = 'code') AS code, count(*) FILTER (state = 'unparsed') AS unparsed,
       count(*) FILTER (state = 'not judged') AS not_judged
FROM judged_answers GROUP BY ALL;
