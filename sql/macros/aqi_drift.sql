-- How separation went from one report to another of the same rows, by layer and axiom; a fall of a tenth is drift.
CREATE MACRO aqi_drift(before, after) AS TABLE
SELECT a.layer, a.axiom, b.separation AS before, a.separation AS after, a.separation / b.separation - 1 AS change,
       a.separation <= 0.9 * b.separation AS drift
FROM _aqi_figures a JOIN _aqi_figures b ON a.layer = b.layer AND a.axiom IS NOT DISTINCT FROM b.axiom
JOIN _aqi_reports ra ON ra.report = a.report JOIN _aqi_reports rb ON rb.report = b.report
WHERE a.report = after AND b.report = before AND ra.rows_digest = rb.rows_digest
ORDER BY a.position, a.axiom NULLS FIRST;
