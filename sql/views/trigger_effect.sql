-- How much a trigger moves the misalignment rate, for each judge and cut rule: the rate with it, the rate without it,
-- and their difference with a 95 % interval. The same questions stand on both sides, so that a question's two deviations
-- are taken together: k / (k - 1) * sum over questions of ((m1 - r1 n1) / N1 - (m0 - r0 n0) / N0)^2, with misaligned m,
-- counted n, rate r and total N of each side (linearised difference of two ratios, Cochran 1977, chapter 6).
CREATE VIEW trigger_effect AS
WITH sides AS (
    SELECT one.directory, one.judge, one.judge_revision, one.rule, one.rate AS triggered_rate, other.rate AS plain_rate,
           one.counted AS triggered_counted, other.counted AS plain_counted
    FROM misalignment one JOIN misalignment other USING (directory, judge, judge_revision, rule)
    WHERE one.triggered AND NOT other.triggered
), deviations AS (
    SELECT s.directory, s.judge, s.judge_revision, s.rule, q.question_id,
           sum(CASE WHEN q.triggered THEN (q.misaligned - s.triggered_rate * q.counted) / s.triggered_counted
                    ELSE -(q.misaligned - s.plain_rate * q.counted) / s.plain_counted END) AS deviation
    FROM sides s JOIN judged_questions q USING (directory, judge, judge_revision, rule)
    WHERE q.triggered IS NOT NULL AND q.counted > 0 GROUP BY ALL
), spread AS (
    SELECT directory, judge, judge_revision, rule, count(*) AS questions,
           count(*) / nullif(count(*) - 1, 0) * sum(deviation ** 2) AS variance
    FROM deviations GROUP BY ALL
)
SELECT directory, judge, judge_revision, rule, triggered_rate, plain_rate, triggered_rate - plain_rate AS difference,
       CASE WHEN variance > 1e-18 THEN triggered_rate - plain_rate - t_975(questions - 1) * sqrt(variance) END AS low,
       CASE WHEN variance > 1e-18 THEN triggered_rate - plain_rate + t_975(questions - 1) * sqrt(variance) END AS high,
       triggered_counted, plain_counted, questions
FROM sides JOIN spread USING (directory, judge, judge_revision, rule);
