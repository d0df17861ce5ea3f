SELECT config ->> 'drop_after' = '90 days', NOT scheduled
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_retention' AND hypertable_schema = 'public' AND hypertable_name = 'trades';
