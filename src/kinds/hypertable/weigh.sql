-- What stands in the way of making tables hypertables or adding dimensions to them: one row a find,
-- `what` says of which sort.
--   $1 oid[]: the tables; $2 text[], $3 text[]: schema and name of functions for whole-number time;
--   $4 oid[]: hypertables that get another such function.
-- The sorts are those that create_hypertable refuses (TimescaleDB 2.29, src/hypertable.c). Beside them,
-- `present` is an aggregate (schema `name`, name `other`) over one of the latter, at any depth, that has
-- chunks: it goes by the same function. `flag` says whether a retention policy drops by it there. `keeps` is one of
-- those that has rows for time of which what it reads (`columns`: schema, name) has none any more, or of which the role
-- may not read whether it has. `reads` is one that holds something and reads another one (`columns`). In both, `flag`
-- says whether a policy refreshes it.
WITH RECURSIVE over AS (
  SELECT c.oid, a.mat_hypertable_id, a.raw_hypertable_id, a.user_view_schema, a.user_view_name
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    JOIN _timescaledb_catalog.hypertable AS h ON h.schema_name = n.nspname AND h.table_name = c.relname
    JOIN _timescaledb_catalog.continuous_agg AS a ON a.raw_hypertable_id = h.id
   WHERE c.oid = ANY ($4)
   UNION ALL
  SELECT o.oid, a.mat_hypertable_id, a.raw_hypertable_id, a.user_view_schema, a.user_view_name
    FROM over AS o JOIN _timescaledb_catalog.continuous_agg AS a ON a.raw_hypertable_id = o.mat_hypertable_id
), filled AS (
  SELECT o.oid, o.user_view_schema, o.user_view_name, o.mat_hypertable_id,
         pg_catalog.format('%I.%I', h.schema_name, h.table_name) AS kept_in, k.column_name AS bucket,
         pg_catalog.format('%I.%I', r.schema_name, r.table_name) AS source, d.column_name AS source_time,
         d.id AS source_dimension, COALESCE(p.user_view_schema, r.schema_name)::text AS read_schema,
         COALESCE(p.user_view_name, r.table_name)::text AS read_name, p.mat_hypertable_id IS NOT NULL AS of_another,
         EXISTS (SELECT FROM _timescaledb_catalog.bgw_job AS j
                  WHERE j.proc_schema = '_timescaledb_functions' AND j.proc_name = 'policy_refresh_continuous_aggregate'
                    AND COALESCE(j.config ->> 'mat_hypertable_id', j.hypertable_id::text) = o.mat_hypertable_id::text)
             AS is_refreshed,
         COALESCE(pg_catalog.to_jsonb(b) ->> 'bucket_width', pg_catalog.to_jsonb(a) ->> 'bucket_width', '0') AS width
    FROM over AS o
    JOIN _timescaledb_catalog.hypertable AS h ON h.id = o.mat_hypertable_id
    JOIN _timescaledb_catalog.dimension AS k ON k.hypertable_id = h.id AND k.num_slices IS NULL
    JOIN _timescaledb_catalog.hypertable AS r ON r.id = o.raw_hypertable_id
    JOIN _timescaledb_catalog.dimension AS d ON d.hypertable_id = r.id AND d.num_slices IS NULL
    JOIN _timescaledb_catalog.continuous_agg AS a ON a.mat_hypertable_id = o.mat_hypertable_id
    LEFT JOIN _timescaledb_catalog.continuous_aggs_bucket_function AS b ON b.mat_hypertable_id = o.mat_hypertable_id
    LEFT JOIN _timescaledb_catalog.continuous_agg AS p ON p.mat_hypertable_id = r.id
), gaps AS (
{gaps filled}
), hypertables AS MATERIALIZED (
  SELECT c.oid
    FROM _timescaledb_catalog.hypertable AS h
    JOIN pg_catalog.pg_namespace AS n ON n.nspname = h.schema_name
    JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = h.table_name
), foreign_keys AS MATERIALIZED (
  SELECT k.conname, k.conrelid, k.confrelid
    FROM pg_catalog.pg_constraint AS k
   WHERE k.contype = 'f' AND (k.conrelid = ANY ($1) OR k.confrelid = ANY ($1))
)
SELECT 'size' AS what, c.oid, c.relpersistence::text AS name, NULL::text AS other, NULL::text[] AS columns,
       greatest(c.reltuples::int8, pg_catalog.pg_stat_get_live_tuples(c.oid), 0) AS rows,
       pg_catalog.pg_total_relation_size(c.oid) AS bytes, NULL::bool AS flag
  FROM pg_catalog.pg_class AS c
 WHERE c.oid = ANY ($1)
UNION ALL
SELECT 'unique', i.indrelid, c.relname::text, NULL,
       ARRAY(SELECT a.attname::text
               FROM pg_catalog.pg_attribute AS a
              WHERE a.attrelid = i.indexrelid ORDER BY a.attnum),
       NULL, NULL, i.indisprimary
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
 WHERE i.indrelid = ANY ($1) AND (i.indisunique OR i.indisexclusion)
UNION ALL
SELECT 'no inherit', k.conrelid, k.conname::text, NULL, NULL, NULL, NULL, NULL
  FROM pg_catalog.pg_constraint AS k
 WHERE k.conrelid = ANY ($1) AND k.contype = 'c' AND k.connoinherit
UNION ALL
SELECT 'referenced', k.confrelid, k.conname::text, k.conrelid::regclass::text, NULL, NULL, NULL,
       k.conrelid IN (SELECT oid FROM hypertables)
  FROM foreign_keys AS k
 WHERE k.confrelid = ANY ($1)
UNION ALL
SELECT 'references', k.conrelid, k.conname::text, k.confrelid::regclass::text, NULL, NULL, NULL, NULL
  FROM foreign_keys AS k
 WHERE k.conrelid = ANY ($1) AND k.confrelid IN (SELECT oid FROM hypertables)
UNION ALL
SELECT 'inheritance', i.inhparent, i.inhrelid::regclass::text, NULL, NULL, NULL, NULL, NULL
  FROM pg_catalog.pg_inherits AS i
 WHERE i.inhparent = ANY ($1)
UNION ALL
SELECT 'inheritance', i.inhrelid, i.inhparent::regclass::text, NULL, NULL, NULL, NULL, NULL
  FROM pg_catalog.pg_inherits AS i
 WHERE i.inhrelid = ANY ($1)
UNION ALL
SELECT 'publication', r.prrelid, p.pubname::text, NULL, NULL, NULL, NULL, false
  FROM pg_catalog.pg_publication_rel AS r
  JOIN pg_catalog.pg_publication AS p ON p.oid = r.prpubid
 WHERE r.prrelid = ANY ($1)
UNION ALL
SELECT 'publication', c.oid, p.pubname::text, NULL, NULL, NULL, NULL, true
  FROM pg_catalog.pg_publication AS p, pg_catalog.pg_class AS c
 WHERE p.puballtables AND c.oid = ANY ($1)
UNION ALL
SELECT 'rule', r.ev_class, r.rulename::text, NULL, NULL, NULL, NULL, NULL
  FROM pg_catalog.pg_rewrite AS r
 WHERE r.ev_class = ANY ($1)
UNION ALL
SELECT 'trigger', t.tgrelid, t.tgname::text, NULL, NULL, NULL, NULL, t.tgtype & 1 = 1
  FROM pg_catalog.pg_trigger AS t
 WHERE t.tgrelid = ANY ($1) AND NOT t.tgisinternal AND (t.tgoldtable IS NOT NULL OR t.tgnewtable IS NOT NULL)
UNION ALL
SELECT 'generated', a.attrelid, a.attname::text, NULL, NULL, NULL, NULL, NULL
  FROM pg_catalog.pg_attribute AS a
 WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND a.attgenerated <> ''
UNION ALL
SELECT 'function', p.prorettype, wanted.schema, wanted.name, ARRAY[p.provolatile::text], NULL, NULL,
       pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
  FROM ROWS FROM (pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[])) AS wanted (schema, name)
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = wanted.schema
  LEFT JOIN pg_catalog.pg_proc AS p ON p.pronamespace = n.oid AND p.proname = wanted.name AND p.pronargs = 0
UNION ALL
SELECT 'present', o.oid, o.user_view_schema::text, o.user_view_name::text, NULL, NULL, NULL,
       EXISTS (SELECT FROM _timescaledb_catalog.bgw_job AS j
                WHERE j.proc_schema = '_timescaledb_functions' AND j.proc_name = 'policy_retention'
                  AND COALESCE(j.hypertable_id::text, j.config ->> 'hypertable_id') = o.mat_hypertable_id::text
                  AND j.config ->> 'drop_after' IS NOT NULL)
  FROM over AS o
  JOIN _timescaledb_catalog.hypertable AS h ON h.id = o.mat_hypertable_id
 WHERE EXISTS (SELECT FROM pg_catalog.pg_inherits AS i
                WHERE i.inhparent = pg_catalog.to_regclass(pg_catalog.format('%I.%I', h.schema_name, h.table_name)))
UNION ALL
SELECT 'reads', f.oid, f.user_view_schema::text, f.user_view_name::text, ARRAY[f.read_schema, f.read_name], NULL, NULL,
       f.is_refreshed
  FROM filled AS f
 WHERE f.of_another
   AND EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = pg_catalog.to_regclass(f.kept_in))
UNION ALL
SELECT 'keeps', f.oid, f.user_view_schema::text, f.user_view_name::text, ARRAY[f.read_schema, f.read_name], NULL, NULL,
       f.is_refreshed
  FROM filled AS f
  JOIN gaps AS g ON g.dimension_id = f.source_dimension
 WHERE CASE WHEN pg_catalog.has_table_privilege(f.kept_in, 'SELECT') AND pg_catalog.has_table_privilege(f.source, 'SELECT') THEN
       pg_catalog.query_to_xml(pg_catalog.format(
           'SELECT 1 AS kept FROM %1$s AS m WHERE m.%2$I + %3$L::pg_catalog.int8 <= COALESCE((SELECT pg_catalog.min(r.%4$I) FROM %5$s AS r), %6$L::pg_catalog.int8)'
           ' OR EXISTS (SELECT FROM ROWS FROM (pg_catalog.unnest(%7$L::bigint[]), pg_catalog.unnest(%8$L::bigint[])) AS g (begins, ends)'
           ' WHERE g.ends > m.%2$I AND (g.begins IS NULL OR g.begins < m.%2$I + %3$L::pg_catalog.int8)) LIMIT 1',
           f.kept_in, f.bucket, f.width, f.source_time, f.source, '9223372036854775807', g.begins, g.ends),
           false, true, '')::text LIKE '%<kept>%' ELSE true END
