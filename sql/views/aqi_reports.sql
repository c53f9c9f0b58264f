-- The reports of the Alignment Quality Index: of which rows, in which representation, with what to beware of.
CREATE VIEW aqi_reports AS SELECT * FROM _aqi_reports;
