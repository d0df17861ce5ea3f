SELECT config ->> 'drop_after' = '90 days', job_id = (SELECT max(job_id) FROM timescaledb_information.jobs)
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_retention' AND hypertable_schema = 'public' AND hypertable_name = 'trades';
