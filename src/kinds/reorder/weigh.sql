-- What a reorder policy would write anew. $1 the relations of new policies; $2 the hypertables' ids. The
-- job leaves the three newest chunks alone, and those in the columnstore. $3 time zones.
WITH chunks AS (
{chunks}
), aged AS (
    SELECT k.oid, k.compressed, k.hypertable_id, v.range_start, v.range_end, v.range_start_integer, v.range_end_integer,
           pg_catalog.dense_rank() OVER (PARTITION BY k.hypertable_id
                                         ORDER BY v.range_start DESC, v.range_start_integer DESC) AS age
      FROM chunks AS k
      JOIN pg_catalog.pg_class AS c ON c.oid = k.oid
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      JOIN timescaledb_information.chunks AS v ON v.chunk_schema = n.nspname AND v.chunk_name = c.relname
)
SELECT 'reorders'::text AS what, r.oid, NULL::text AS name, pg_catalog.count(*) AS chunks,
       pg_catalog.sum(pg_catalog.pg_total_relation_size(a.oid))::bigint AS bytes,
       pg_catalog.max(pg_catalog.pg_total_relation_size(a.oid))::bigint AS largest,
       COALESCE(pg_catalog.min(a.range_start)::text, pg_catalog.min(a.range_start_integer)::text) AS oldest,
       COALESCE(pg_catalog.max(a.range_end)::text, pg_catalog.max(a.range_end_integer)::text) AS newest
  FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::bigint[])) AS r (oid, id)
  JOIN aged AS a ON a.hypertable_id = r.id
 WHERE a.age > 3 AND a.compressed IS NULL
 GROUP BY r.oid
 UNION ALL
SELECT 'unknown time zone', NULL, z.name, NULL, NULL, NULL, NULL, NULL
  FROM pg_catalog.unnest($3::text[]) AS z (name)
 WHERE z.name !~ '[0-9]'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_timezone_names AS t WHERE lower(t.name) = lower(z.name))
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_timezone_abbrevs AS t WHERE lower(t.abbrev) = lower(z.name))
 ORDER BY 1, 2, 3
