-- $1 TimescaleDB's ids of the hypertables in scope: their retention policies, by the procedure that
-- the job runs. Ages are text in whatever style their author's session had, or numbers where time is
-- one. Where a job has both, the server goes by the creation of chunks. A job that somebody made of the
-- same procedure with `add_job` has its hypertable in its configuration only, and anything at all for
-- an age there.
SELECT DISTINCT ON (h.id, CASE WHEN j.hypertable_id IS NULL THEN j.id END)
       h.schema_name AS schema, h.table_name AS name,
       j.hypertable_id IS NULL AS of_somebody,
       CASE WHEN j.hypertable_id IS NOT NULL AND pg_catalog.jsonb_typeof(j.config -> 'drop_after') = 'string'
            THEN (j.config ->> 'drop_after')::interval END AS drop_after,
       CASE WHEN j.hypertable_id IS NOT NULL AND pg_catalog.jsonb_typeof(j.config -> 'drop_after') = 'number'
            THEN (j.config ->> 'drop_after')::bigint END AS drop_after_integer,
       CASE WHEN j.hypertable_id IS NOT NULL
            THEN (j.config ->> 'drop_created_before')::interval END AS drop_created_before,
       j.id AS job_id, j.schedule_interval, j.max_runtime, j.max_retries, j.retry_period,
       j.scheduled, j.fixed_schedule, j.timezone,
       CASE WHEN pg_catalog.isfinite(j.initial_start)
            THEN (extract(epoch FROM j.initial_start) * 1000000)::bigint END AS initial_start
  FROM _timescaledb_catalog.bgw_job AS j
  JOIN _timescaledb_catalog.hypertable AS h
    ON h.id::text = COALESCE(j.hypertable_id::text, j.config ->> 'hypertable_id')
 WHERE j.proc_schema = '_timescaledb_functions' AND j.proc_name = 'policy_retention'
   AND h.id = ANY ($1)
 ORDER BY h.id, CASE WHEN j.hypertable_id IS NULL THEN j.id END, j.id
