-- Matches whose surroundings stand against an aligned belief by more than `least` (belief conflict lies in [-2, 2]).
CREATE MACRO conflicts(least) AS TABLE
SELECT output_id, span, doc_id, policy, category, conflict, nearest, match, left_context, right_context
FROM (SELECT *, "left" AS left_context, "right" AS right_context FROM _trace_matches)
WHERE conflict > least ORDER BY conflict DESC, output_id, span;
