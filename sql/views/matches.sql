-- The documents that hold a span: rank within the output, scores, context, the policy in conflict, and the row's key.
CREATE VIEW matches AS SELECT * FROM _trace_matches;
