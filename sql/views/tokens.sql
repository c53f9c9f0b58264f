-- How often each lower-cased token occurs in the indexes that are open: the model behind BCI.
CREATE VIEW tokens AS
SELECT index_directory, token, sum(count)::BIGINT AS count FROM _index_tokens GROUP BY index_directory, token;
