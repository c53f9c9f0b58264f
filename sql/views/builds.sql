-- Which builds are open: one row a build, with its recipe, licence, sensitivity, seed and numbers of rows and drops.
CREATE VIEW builds AS
SELECT b.*,
       (SELECT count(*) FROM _lineage_rows r WHERE r.build_id = b.build_id) AS rows,
       (SELECT count(*) FROM _lineage_drops d WHERE d.build_id = b.build_id) AS drops
FROM _build_facts b;
