-- The index by report, layer and axiom (NULL: all rows), with intervals, nulls and the confound baselines beside it.
CREATE VIEW aqi_figures AS SELECT * FROM _aqi_figures;
