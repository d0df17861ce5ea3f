-- $1 oids and $2 TimescaleDB's ids of the hypertables in scope, $3 its version as 222 for 2.22: the
-- settings of each columnstore, and those that its chunks were converted with, with how many there are
-- of each. A chunk that is frozen stays as it is, and is not counted.
WITH chunks AS (
{chunks}
)
SELECT h.id, h.schema_name AS schema, h.table_name AS name, NULL::bigint AS chunks,
       CASE WHEN $3 < 222 THEN COALESCE(s.segmentby, '{}') ELSE s.segmentby END AS segmentby,
       s.orderby, s.orderby_desc, s.orderby_nullsfirst, pg_catalog.to_jsonb(s) ->> 'index' AS index
  FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::bigint[])) AS r (oid, id)
  JOIN _timescaledb_catalog.hypertable AS h ON h.id = r.id
  JOIN _timescaledb_catalog.compression_settings AS s ON s.relid = r.oid
 UNION ALL
SELECT h.id, h.schema_name, h.table_name, pg_catalog.count(*),
       COALESCE(s.segmentby, '{}'), COALESCE(s.orderby, '{}'), COALESCE(s.orderby_desc, '{}'),
       COALESCE(s.orderby_nullsfirst, '{}'), pg_catalog.to_jsonb(s) ->> 'index'
  FROM chunks AS k
  JOIN _timescaledb_catalog.chunk AS ch ON ch.id = k.id AND ch.status & 4 = 0
  JOIN _timescaledb_catalog.hypertable AS h ON h.id = k.hypertable_id
  JOIN _timescaledb_catalog.compression_settings AS s ON s.relid = k.settings
 WHERE k.compressed IS NOT NULL
 GROUP BY h.id, h.schema_name, h.table_name, 5, 6, 7, 8, 9
 ORDER BY 1, 4 NULLS FIRST
