SELECT config ->> 'drop_after' = '90 days', scheduled, NOT fixed_schedule
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_retention' AND hypertable_schema = 'public' AND hypertable_name = 'trades';
