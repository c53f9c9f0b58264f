-- What an output repeats, best documents first: span, document and context, BCI, the policy in conflict, and the way on:
-- the build's row, the step that made it and with which note, and the source row behind it.
CREATE MACRO attribution(wanted) AS TABLE
SELECT m.rank, m.span, s.text AS span_text, s.tokens, s.count, s.bci, s.bci_percentile,
       m.doc_id, m.role, m.left AS left_context, m.match, m.right AS right_context,
       m.policy, m.conflict, m.nearest, m.evidence, m.bm25,
       m.build_id, m.arm, m.split, m.row AS index, m.row_id,
       r.op, r.steps[-1].step AS step, r.steps[-1].note AS note,
       coalesce(r.parents[1].file, r.parents[1].source, m.source) AS source,
       coalesce(r.parents[1].index, m.row) AS source_index, coalesce(r.parents[1].line, m.line) AS source_line
FROM _trace_matches m
JOIN _trace_spans s ON s.trace_directory = m.trace_directory AND s.output_id = m.output_id AND s.span = m.span
LEFT JOIN _lineage_rows r
       ON r.build_id = m.build_id AND r.arm = m.arm AND r.split = m.split AND r.index = m.row
WHERE m.output_id = wanted
ORDER BY m.rank, m.span;
