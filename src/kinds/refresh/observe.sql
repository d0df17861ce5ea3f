-- $1 TimescaleDB's ids of the hypertables in scope: every refresh policy of the continuous aggregates
-- that are kept in them, by the procedure that the job runs. Offsets are text in whatever style their
-- author's session had, or numbers where time is one; an open end is null.
SELECT a.user_view_schema AS schema, a.user_view_name AS name,
       CASE pg_catalog.jsonb_typeof(j.config -> 'start_offset')
            WHEN 'string' THEN (j.config ->> 'start_offset')::interval END AS start_offset,
       CASE pg_catalog.jsonb_typeof(j.config -> 'start_offset')
            WHEN 'number' THEN (j.config ->> 'start_offset')::bigint END AS start_offset_integer,
       CASE pg_catalog.jsonb_typeof(j.config -> 'end_offset')
            WHEN 'string' THEN (j.config ->> 'end_offset')::interval END AS end_offset,
       CASE pg_catalog.jsonb_typeof(j.config -> 'end_offset')
            WHEN 'number' THEN (j.config ->> 'end_offset')::bigint END AS end_offset_integer,
       (j.config ->> 'buckets_per_batch')::bigint AS buckets_per_batch,
       (j.config ->> 'max_batches_per_execution')::bigint AS max_batches_per_execution,
       (j.config ->> 'refresh_newest_first')::boolean AS refresh_newest_first,
       j.id AS job_id, j.schedule_interval, j.max_runtime, j.max_retries, j.retry_period,
       j.scheduled, j.fixed_schedule, j.timezone,
       CASE WHEN pg_catalog.isfinite(j.initial_start)
            THEN (extract(epoch FROM j.initial_start) * 1000000)::bigint END AS initial_start
  FROM _timescaledb_catalog.bgw_job AS j
  JOIN _timescaledb_catalog.continuous_agg AS a ON a.mat_hypertable_id = j.hypertable_id
 WHERE j.proc_schema = '_timescaledb_functions' AND j.proc_name = 'policy_refresh_continuous_aggregate'
   AND j.hypertable_id = ANY ($1)
 ORDER BY a.mat_hypertable_id, j.id
