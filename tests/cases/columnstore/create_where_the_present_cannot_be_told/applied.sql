SELECT config -> 'compress_after' = '500'
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_compression' AND hypertable_schema = 'public' AND hypertable_name = 'ticks';
