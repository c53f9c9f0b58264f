-- The shards of the indexes that are open, with their sizes.
CREATE VIEW shards AS SELECT * FROM _index_shards;
