-- The aligned beliefs of the catalog, with statements that keep to them and statements that go against them.
CREATE VIEW policies AS SELECT * FROM _policy_list;
