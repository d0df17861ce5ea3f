-- The chunks that are old enough for an archive. In step: $1 the hypertables, $2 the ages by row time,
-- $3 ages by creation (none), $4 the whole numbers before which rows are old, $5 the type of whole-number
-- time. $6 the hypertables' ids. One row a chunk, and one without a chunk for a table with none. A chunk's `mark` is
-- what an earlier run left on it; one that is frozen and bears none is somebody's to keep. `refreshed` are
-- the continuous aggregates that are refreshed from the table, and `looks_back` how far, in step: text in
-- whatever style its author's session had, or a number where time is one; null without an end.
WITH wanted AS (
    SELECT w.oid, w.after::interval, w.created_before::interval, w.before, w.counted_in, w.id
      FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]),
                      pg_catalog.unnest($4::bigint[]), pg_catalog.unnest($5::text[]), pg_catalog.unnest($6::bigint[]))
           AS w (oid, after, created_before, before, counted_in, id)
), refreshed AS (
    SELECT w.oid,
           pg_catalog.array_agg(pg_catalog.format('%I.%I', g.user_view_schema, g.user_view_name)
                                ORDER BY j.id) AS by,
           pg_catalog.array_agg(CASE pg_catalog.jsonb_typeof(j.config -> 'start_offset')
                                     WHEN 'string' THEN (j.config ->> 'start_offset')::interval END
                                ORDER BY j.id) AS looks_back,
           pg_catalog.array_agg(CASE pg_catalog.jsonb_typeof(j.config -> 'start_offset')
                                     WHEN 'number' THEN (j.config ->> 'start_offset')::bigint END
                                ORDER BY j.id) AS looks_back_integer
      FROM wanted AS w
      JOIN _timescaledb_catalog.continuous_agg AS g ON g.raw_hypertable_id = w.id
      JOIN _timescaledb_catalog.bgw_job AS j ON j.hypertable_id = g.mat_hypertable_id
     WHERE j.proc_name = 'policy_refresh_continuous_aggregate'
     GROUP BY w.oid
), due AS (
{due wanted}
), chunks AS (
{chunks}
)
SELECT hn.nspname AS schema, h.relname AS name,
       d.chunk, n.nspname AS chunk_schema, c.relname AS chunk_name,
       COALESCE(v.range_start::text, v.range_start_integer::text) AS range_start,
       COALESCE(v.range_end::text, v.range_end_integer::text) AS range_end,
       ch.status & 4 <> 0 AS frozen,
       pg_catalog.obj_description(d.chunk, 'pg_class') AS mark,
       pg_catalog.pg_total_relation_size(d.chunk)
           + COALESCE(pg_catalog.pg_total_relation_size(k.compressed), 0) AS bytes,
       r.by AS refreshed, r.looks_back, r.looks_back_integer
  FROM wanted AS w
  JOIN pg_catalog.pg_class AS h ON h.oid = w.oid
  JOIN pg_catalog.pg_namespace AS hn ON hn.oid = h.relnamespace
  LEFT JOIN refreshed AS r ON r.oid = w.oid
  LEFT JOIN due AS d ON d.oid = w.oid
  LEFT JOIN chunks AS k ON k.oid = d.chunk
  LEFT JOIN _timescaledb_catalog.chunk AS ch ON ch.id = k.id
  LEFT JOIN pg_catalog.pg_class AS c ON c.oid = d.chunk
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN timescaledb_information.chunks AS v ON v.chunk_schema = n.nspname AND v.chunk_name = c.relname
 ORDER BY hn.nspname, h.relname, v.range_start, v.range_start_integer, c.relname
