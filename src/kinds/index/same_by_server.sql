_timescaledb_functions.index_matches(p.indexrelid::pg_catalog.regclass, k.indexrelid::pg_catalog.regclass)
