-- Every user-defined action: the jobs that are no policy of a hypertable. $1 is TimescaleDB's version
-- as 222 for 2.22. Its own jobs have numbers below 1000.
SELECT j.id AS job_id, j.application_name::text AS application_name, $1 AS version,
       j.proc_schema::text AS proc_schema, j.proc_name::text AS proc_name,
       j.check_schema::text AS check_schema, j.check_name::text AS check_name,
       j.config::text AS config,
       pg_catalog.pg_get_userbyid(j.owner::oid)::text AS owner,
       pg_catalog.pg_has_role(j.owner::oid, 'USAGE') AS owned,
       EXISTS (SELECT
                 FROM pg_catalog.pg_proc AS p
                 JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
                WHERE n.nspname = j.proc_schema AND p.proname = j.proc_name
                  AND p.proargtypes = '23 3802'::oidvector AND p.prokind IN ('f', 'p')) AS procedure_exists,
       j.schedule_interval, j.max_runtime, j.max_retries, j.retry_period,
       j.scheduled, j.fixed_schedule, j.timezone,
       CASE WHEN pg_catalog.isfinite(j.initial_start)
            THEN (extract(epoch FROM j.initial_start) * 1000000)::bigint END AS initial_start
  FROM _timescaledb_catalog.bgw_job AS j
 WHERE j.id >= 1000
   AND NOT (j.hypertable_id IS NOT NULL AND j.proc_schema = '_timescaledb_functions')
 ORDER BY j.id
