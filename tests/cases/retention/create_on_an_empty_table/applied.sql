SELECT (config ->> 'drop_after')::interval = INTERVAL '2 years 3 months'
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_retention' AND hypertable_schema = 'public' AND hypertable_name = 'trades';
