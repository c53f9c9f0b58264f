-- The maximal spans of each output: where, how long, how often in the corpus, and how surprising (BCI and its rank).
CREATE VIEW spans AS SELECT * FROM _trace_spans;
