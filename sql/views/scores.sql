-- Every verdict of a judge about an answer: number, refusal, code, unparsed, or not judged; score is the number.
CREATE VIEW scores AS
SELECT s.directory, s.judge, s.judge_revision, s.answer, a.question_id, a.triggered, s.metric, s.verdict, s.score,
       s.said, s.request_hash
FROM _score_rows s JOIN _answer_rows a ON a.directory = s.directory AND a.row = s.answer;
