-- The documents of the indexes that are open: shard and number, id, source, the row's key where it is a build's.
CREATE VIEW documents AS SELECT * FROM _index_documents;
