-- $1 TimescaleDB's ids of the hypertables in scope: their reorder policies, by the procedure that the
-- job runs.
SELECT DISTINCT ON (h.id)
       h.schema_name AS schema, h.table_name AS name, j.config ->> 'index_name' AS index,
       j.id AS job_id, j.schedule_interval, j.max_runtime, j.max_retries, j.retry_period,
       j.scheduled, j.fixed_schedule, j.timezone,
       CASE WHEN pg_catalog.isfinite(j.initial_start)
            THEN (extract(epoch FROM j.initial_start) * 1000000)::bigint END AS initial_start
  FROM _timescaledb_catalog.bgw_job AS j
  JOIN _timescaledb_catalog.hypertable AS h ON h.id = j.hypertable_id
 WHERE j.proc_schema = '_timescaledb_functions' AND j.proc_name = 'policy_reorder'
   AND h.id = ANY ($1)
 ORDER BY h.id, j.id
