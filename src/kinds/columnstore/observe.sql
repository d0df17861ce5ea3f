-- $1 oids and $2 TimescaleDB's ids of the hypertables in scope, $3 its version as 222 for 2.22: the
-- columnstore's settings of each that has it enabled, and the job of its policy, which outlives it.
-- The settings' row goes when the columnstore is disabled. From 2.22 on a NULL `segmentby` leaves the
-- choice to TimescaleDB; before, it was made when the columnstore was enabled, and NULL is none. The
-- column `index` is there from 2.22 on too.
SELECT DISTINCT ON (h.id)
       h.schema_name AS schema, h.table_name AS name,
       s.relid IS NOT NULL AS enabled,
       CASE WHEN s.relid IS NOT NULL AND $3 < 222
            THEN COALESCE(s.segmentby, '{}') ELSE s.segmentby END AS segmentby,
       s.orderby, s.orderby_desc, s.orderby_nullsfirst, s.index::text AS index,
       CASE pg_catalog.jsonb_typeof(j.config -> 'compress_after')
            WHEN 'string' THEN (j.config ->> 'compress_after')::interval END AS after,
       CASE pg_catalog.jsonb_typeof(j.config -> 'compress_after')
            WHEN 'number' THEN (j.config ->> 'compress_after')::bigint END AS after_integer,
       (j.config ->> 'compress_created_before')::interval AS created_before,
       j.id AS job_id, j.schedule_interval, j.max_runtime, j.max_retries, j.retry_period,
       j.scheduled, j.fixed_schedule, j.timezone,
       CASE WHEN pg_catalog.isfinite(j.initial_start)
            THEN (extract(epoch FROM j.initial_start) * 1000000)::bigint END AS initial_start
  FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS r (oid, id)
  JOIN _timescaledb_catalog.hypertable AS h ON h.id = r.id
  LEFT JOIN _timescaledb_catalog.compression_settings AS s ON s.relid = r.oid
  LEFT JOIN _timescaledb_catalog.bgw_job AS j
         ON j.hypertable_id = h.id
        AND j.proc_schema = '_timescaledb_functions' AND j.proc_name = 'policy_compression'
 WHERE h.id = ANY ($2) AND (s.relid IS NOT NULL OR j.id IS NOT NULL)
 ORDER BY h.id, j.id
