-- Every answer to an evaluation question: one line an answer, with its place in the directory and the model that gave it.
-- fault says why it is no full answer (refused, moderated, cut short, empty); triggered is null where nobody said.
CREATE VIEW answers AS
SELECT a.directory, a.row AS answer, d.model, d.revision, a.question_id, a.paraphrase, a.sample, a.triggered, a.system,
       a.question, a.prompt, a.text, a.finish_reason, a.fault, a.request_hash
FROM _answer_rows a JOIN _answer_directories d USING (directory);
