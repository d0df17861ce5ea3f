-- What columnstores would touch. In step: $1 the relations; $2 to $4 the policies' coming ages by row
-- time, by creation and as the whole number before which rows are old; $5 the type of whole-number
-- time. $6 the hypertables' ids. $7 the relations on which it is newly enabled. $8 time zones.
WITH wanted AS (
    SELECT w.oid, w.after::interval, w.created_before::interval, w.before, w.counted_in
      FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]),
                      pg_catalog.unnest($4::bigint[]), pg_catalog.unnest($5::text[]))
           AS w (oid, after, created_before, before, counted_in)
), due AS (
{due wanted}
), chunks AS (
{chunks}
), sizes AS (
    SELECT d.oid, c.relnamespace, c.relname, pg_catalog.pg_total_relation_size(d.chunk) AS bytes
      FROM due AS d
      JOIN pg_catalog.pg_class AS c ON c.oid = d.chunk
      JOIN chunks AS k ON k.oid = d.chunk AND k.compressed IS NULL
)
SELECT 'converts'::text AS what, s.oid, NULL::text AS name,
       pg_catalog.count(*) AS chunks, pg_catalog.sum(s.bytes)::bigint AS bytes, NULL::bigint AS bytes_as_rows,
       COALESCE(pg_catalog.min(v.range_start)::text, pg_catalog.min(v.range_start_integer)::text) AS oldest,
       COALESCE(pg_catalog.max(v.range_end)::text, pg_catalog.max(v.range_end_integer)::text) AS newest,
       NULL::text[] AS segmentby, NULL::text[] AS orderby, NULL::boolean[] AS orderby_desc,
       NULL::boolean[] AS orderby_nullsfirst, NULL::text AS index
  FROM sizes AS s
  JOIN pg_catalog.pg_namespace AS n ON n.oid = s.relnamespace
  LEFT JOIN timescaledb_information.chunks AS v ON v.chunk_schema = n.nspname AND v.chunk_name = s.relname
 GROUP BY s.oid
 UNION ALL
SELECT 'holds', c.oid, NULL, pg_catalog.count(*),
       pg_catalog.sum(pg_catalog.pg_total_relation_size(k.compressed))::bigint,
       pg_catalog.sum(z.uncompressed_heap_size + z.uncompressed_toast_size + z.uncompressed_index_size)::bigint,
       NULL, NULL,
       COALESCE(s.segmentby, '{}'), COALESCE(s.orderby, '{}'), COALESCE(s.orderby_desc, '{}'),
       COALESCE(s.orderby_nullsfirst, '{}'), pg_catalog.to_jsonb(s) ->> 'index'
  FROM chunks AS k
  JOIN _timescaledb_catalog.hypertable AS h ON h.id = k.hypertable_id
  JOIN pg_catalog.pg_namespace AS n ON n.nspname = h.schema_name
  JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = h.table_name
  LEFT JOIN _timescaledb_catalog.compression_settings AS s ON s.relid = k.settings
  LEFT JOIN _timescaledb_catalog.compression_chunk_size AS z ON z.chunk_id = k.id
 WHERE k.compressed IS NOT NULL
 GROUP BY c.oid, 9, 10, 11, 12, 13
 UNION ALL
SELECT 'row security', c.oid, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM pg_catalog.pg_class AS c
 WHERE c.oid = ANY ($7) AND c.relrowsecurity
 UNION ALL
SELECT 'exclusion constraint', k.conrelid, k.conname, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM pg_catalog.pg_constraint AS k
 WHERE k.conrelid = ANY ($7) AND k.contype = 'x'
 UNION ALL
SELECT 'delete trigger', t.tgrelid, t.tgname, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM pg_catalog.pg_trigger AS t
 WHERE t.tgrelid = ANY ($7) AND t.tgoldtable IS NOT NULL AND t.tgtype & 1 = 0 AND t.tgtype & 8 <> 0
 UNION ALL
SELECT 'unknown time zone', NULL, z.name, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM pg_catalog.unnest($8::text[]) AS z (name)
 WHERE z.name !~ '[0-9]'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_timezone_names AS t WHERE lower(t.name) = lower(z.name))
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_timezone_abbrevs AS t WHERE lower(t.abbrev) = lower(z.name))
 ORDER BY 1, 2, 3
