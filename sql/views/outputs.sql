-- The outputs that were traced: one line an output, with its text and how many of its tokens stand in a span.
CREATE VIEW outputs AS SELECT * FROM _trace_outputs;
