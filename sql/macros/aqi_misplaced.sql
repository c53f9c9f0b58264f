-- The rows that lie farthest on the other label's side, at most `n` of each report: unsafe ones held safe, and the reverse.
CREATE MACRO aqi_misplaced(n) AS TABLE
SELECT report, key, axiom, safety_label, source_dataset, score, excerpt
FROM _aqi_rows
QUALIFY row_number() OVER (
    PARTITION BY report ORDER BY CASE safety_label WHEN 'unsafe' THEN score ELSE 1 - score END, row
) <= n
ORDER BY report, CASE safety_label WHEN 'unsafe' THEN score ELSE 1 - score END, row;
