-- Where each row lies between the means (score: 0 safe, 1 unsafe) at its report's best layer, with the key of its row.
CREATE VIEW aqi_rows AS
SELECT r.*, p.build_id,
       CASE WHEN p.build_id IS NOT NULL THEN split_part(r.key, '/', 1) END AS arm,
       CASE WHEN p.build_id IS NOT NULL THEN split_part(r.key, '/', 2) END AS split,
       CASE WHEN p.build_id IS NOT NULL THEN TRY_CAST(split_part(r.key, '/', 3) AS BIGINT) END AS index
FROM _aqi_rows r JOIN _aqi_reports p USING (report);
