-- $1 oids, $2 schemas, $3 names of the relations in scope: the shape of those that are hypertables,
-- and of the hypertables that continuous aggregates keep their rows in, one row a dimension, time
-- first. Lengths are raw: the column's type says whether they are microseconds. The names are given
-- because looking them up again costs more than all the rest. Works from TimescaleDB 2.13 to 2.29.
-- Chunks are counted as inheritance children, because the chunk catalog keeps dropped chunks before
-- 2.26. The columnstore shows in `compression_state` up to 2.28 and in `status` from 2.29 on, whose
-- update script clears the older field. An aggregate counts whole-number time by the function of the
-- hypertable at the bottom of its hierarchy. The owner of that function is told where it is another's code: one who
-- may not do already, as a member, whatever the role that looks may do. One that takes arguments is not it, though a
-- call without any would find it where all of them have defaults.
WITH RECURSIVE s AS MATERIALIZED (
    SELECT s.oid, s.schema, s.name, a.mat_hypertable_id AS aggregate, a.raw_hypertable_id AS source
      FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3)) AS s (oid, schema, name)
      LEFT JOIN _timescaledb_catalog.continuous_agg AS a
             ON a.user_view_name = s.name AND a.user_view_schema = s.schema
), hypertables AS MATERIALIZED (
    SELECT s.oid, s.aggregate, h.id, h.schema_name, h.table_name, h.compression_state, h.status, s.oid AS stored
      FROM s
      JOIN _timescaledb_catalog.hypertable AS h ON h.table_name = s.name AND h.schema_name = s.schema
     UNION ALL
    SELECT s.oid, s.aggregate, h.id, h.schema_name, h.table_name, h.compression_state, h.status,
           pg_catalog.to_regclass(pg_catalog.format('%I.%I', h.schema_name, h.table_name))::oid
      FROM s
      JOIN _timescaledb_catalog.hypertable AS h ON h.id = s.aggregate
), chunks AS MATERIALIZED (
    SELECT i.inhparent, pg_catalog.count(*) AS chunks
      FROM pg_catalog.pg_inherits AS i
     WHERE i.inhparent = ANY (ARRAY(SELECT h.stored FROM hypertables AS h))
     GROUP BY i.inhparent
), begun AS MATERIALIZED (
    SELECT DISTINCT i.inhparent
      FROM pg_catalog.pg_description AS d
      JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = d.objoid
     WHERE d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objsubid = 0
       AND d.description LIKE 'Chronoform: being archived, %'
), bottom (aggregate, id) AS (
    SELECT s.aggregate, s.source FROM s WHERE s.aggregate IS NOT NULL
     UNION ALL
    SELECT b.aggregate, a.raw_hypertable_id
      FROM bottom AS b
      JOIN _timescaledb_catalog.continuous_agg AS a ON a.mat_hypertable_id = b.id
), present AS (
    SELECT b.aggregate, d.integer_now_func_schema, d.integer_now_func
      FROM bottom AS b
      JOIN _timescaledb_catalog.dimension AS d ON d.hypertable_id = b.id AND d.integer_now_func IS NOT NULL
)
SELECT h.oid, h.stored, h.id, h.schema_name, h.table_name, h.aggregate IS NOT NULL AS is_aggregate,
       h.compression_state = 1 OR h.status & 4 <> 0 AS columnstore,
       COALESCE(k.chunks, 0) AS chunks,
       h.stored IN (SELECT b.inhparent FROM begun AS b) AS begun,
       d.column_name, d.interval_length, d.num_slices,
       COALESCE(d.integer_now_func_schema, p.integer_now_func_schema) AS integer_now_func_schema,
       COALESCE(d.integer_now_func, p.integer_now_func) AS integer_now_func,
       d.integer_now_func IS NULL AND p.integer_now_func IS NOT NULL AS inherits_now,
       f.proowner IS NOT NULL AS integer_now_found,
       CASE WHEN NOT pg_catalog.pg_has_role(f.proowner, current_user, 'MEMBER')
            THEN pg_catalog.pg_get_userbyid(f.proowner) END AS integer_now_owner,
       current_user::text AS caller
  FROM hypertables AS h
  JOIN _timescaledb_catalog.dimension AS d ON d.hypertable_id = h.id
  LEFT JOIN chunks AS k ON k.inhparent = h.stored
  LEFT JOIN present AS p ON p.aggregate = h.aggregate AND d.num_slices IS NULL
  LEFT JOIN LATERAL (SELECT f.proowner
                       FROM pg_catalog.pg_proc AS f
                       JOIN pg_catalog.pg_namespace AS n ON n.oid = f.pronamespace
                      WHERE f.proname = COALESCE(d.integer_now_func, p.integer_now_func) AND f.pronargs = 0
                        AND n.nspname = COALESCE(d.integer_now_func_schema, p.integer_now_func_schema)
                    ) AS f ON true
 WHERE h.compression_state <> 2
 ORDER BY h.oid, d.num_slices IS NOT NULL, d.id
