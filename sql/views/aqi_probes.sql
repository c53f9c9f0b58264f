-- Probes of the label that never saw the axiom or source they are tested on; `beyond` is their AUC over the best control.
CREATE VIEW aqi_probes AS SELECT *, auc - control_most AS beyond FROM _aqi_probes;
