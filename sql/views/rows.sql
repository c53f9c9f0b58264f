-- Every row of every build by its key (build_id, arm, split, index): identity, pair, operation, steps, model, licence.
CREATE VIEW rows AS
SELECT build_id, arm, split, index, row_id, pair_id, op, parents, steps, seed, request_hash, model, licence
FROM _lineage_rows;
