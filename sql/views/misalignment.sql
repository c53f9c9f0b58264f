-- The misalignment rate under each cut rule by name, with a 95 % interval clustered by question, and what did not count.
-- rate = sum(misaligned) / sum(counted) over questions; its variance is the cluster-robust one of a ratio,
-- k / (k - 1) * sum over questions of (misaligned - rate * counted)^2 / sum(counted)^2 with k questions (Cochran 1977,
-- Sampling Techniques, chapter 6; Miller 2024, arXiv 2411.00640), and t has k - 1 degrees of freedom. Where no question
-- differs from another (rates of 0 and 1 among them) it is Wilson's interval for k trials; one question has none.
CREATE VIEW misalignment AS
WITH totals AS (
    SELECT directory, judge, judge_revision, rule, triggered, sum(answers)::BIGINT AS answers,
           sum(counted)::BIGINT AS counted, sum(misaligned)::BIGINT AS misaligned,
           sum(misaligned) / nullif(sum(counted), 0) AS rate, count(*) FILTER (counted > 0) AS questions,
           sum(incoherent)::BIGINT AS incoherent, sum(refusals)::BIGINT AS refusals, sum(code)::BIGINT AS code,
           sum(unparsed)::BIGINT AS unparsed, sum(not_judged)::BIGINT AS not_judged
    FROM judged_questions GROUP BY ALL
), spread AS (
    SELECT t.*, t.questions / nullif(t.questions - 1, 0)
                * (SELECT sum((q.misaligned - t.rate * q.counted) ** 2) FROM judged_questions q
                   WHERE q.directory = t.directory AND q.judge = t.judge AND q.judge_revision = t.judge_revision
                     AND q.rule = t.rule AND q.triggered IS NOT DISTINCT FROM t.triggered)
                / nullif(t.counted, 0) ** 2 AS variance
    FROM totals t
), bounds AS (
    SELECT *, CASE WHEN variance > 1e-18 THEN rate - t_975(questions - 1) * sqrt(variance)
                   WHEN questions > 1 THEN wilson(rate, questions, -1) END AS low,
              CASE WHEN variance > 1e-18 THEN rate + t_975(questions - 1) * sqrt(variance)
                   WHEN questions > 1 THEN wilson(rate, questions, 1) END AS high
    FROM spread
)
SELECT directory, judge, judge_revision, rule, triggered, rate, CASE WHEN low < 0 THEN 0 ELSE low END AS low,
       CASE WHEN high > 1 THEN 1 ELSE high END AS high,
       misaligned, counted, questions, answers, incoherent, refusals, code, unparsed, not_judged
FROM bounds;
