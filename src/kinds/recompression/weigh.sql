-- The chunks in the columnstores of the hypertables whose ids are $1, each with what it was converted
-- with and its size, the newest first: what queries read most is done first, and what retention is
-- about to drop last.
WITH chunks AS (
{chunks}
)
SELECT k.hypertable_id, k.oid, n.nspname AS schema, c.relname AS name,
       pg_catalog.pg_total_relation_size(k.compressed) AS bytes,
       COALESCE(z.uncompressed_heap_size + z.uncompressed_toast_size + z.uncompressed_index_size, 0)::bigint
           AS bytes_as_rows,
       COALESCE(v.range_start::text, v.range_start_integer::text) AS range_start,
       COALESCE(v.range_end::text, v.range_end_integer::text) AS range_end,
       COALESCE(s.segmentby, '{}') AS segmentby, COALESCE(s.orderby, '{}') AS orderby,
       COALESCE(s.orderby_desc, '{}') AS orderby_desc, COALESCE(s.orderby_nullsfirst, '{}') AS orderby_nullsfirst,
       pg_catalog.to_jsonb(s) ->> 'index' AS index
  FROM chunks AS k
  JOIN _timescaledb_catalog.chunk AS ch ON ch.id = k.id AND ch.status & 4 = 0
  JOIN pg_catalog.pg_class AS c ON c.oid = k.oid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN _timescaledb_catalog.compression_settings AS s ON s.relid = k.settings
  LEFT JOIN _timescaledb_catalog.compression_chunk_size AS z ON z.chunk_id = k.id
  LEFT JOIN timescaledb_information.chunks AS v ON v.chunk_schema = n.nspname AND v.chunk_name = c.relname
 WHERE k.compressed IS NOT NULL
 ORDER BY k.hypertable_id, v.range_start DESC NULLS LAST, v.range_start_integer DESC NULLS LAST, k.id DESC
