EXISTS (
        SELECT
        FROM _timescaledb_catalog.chunk AS c
        JOIN _timescaledb_catalog.chunk_index AS x ON x.chunk_id = c.id AND x.hypertable_index_name = p.relname
        WHERE c.schema_name = s.nspname AND c.table_name = s.relname
    ) OR (
        pg_catalog.pg_get_expr(k.indexprs, k.indrelid), pg_catalog.pg_get_expr(k.indpred, k.indrelid)
    ) IS NOT DISTINCT FROM (
        pg_catalog.pg_get_expr(p.indexprs, p.indrelid), pg_catalog.pg_get_expr(p.indpred, p.indrelid)
    )
