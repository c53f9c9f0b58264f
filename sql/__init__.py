"""Schema, views and macros of the DuckDB interface, one object a file."""
