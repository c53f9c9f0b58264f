-- The axioms of each report at the layer that separates best over all rows, from the one held apart most to the least.
CREATE VIEW aqi_axioms AS
SELECT f.report, f.layer, f.axiom, f.rows, f.separation, f.separation_low, f.separation_high, f.corrected, f.null, f.p,
       f.length_auc, f.words_auc
FROM _aqi_figures f JOIN _aqi_reports r ON r.report = f.report AND r.best = f.layer
ORDER BY f.report, f.axiom IS NOT NULL, f.separation DESC;
