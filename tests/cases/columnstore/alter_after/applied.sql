SELECT config ->> 'compress_after' = '7 days'
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_compression' AND hypertable_schema = 'public' AND hypertable_name = 'trades';
