SELECT config ->> 'compress_created_before' = '8 days', NOT config ? 'compress_after'
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_compression' AND hypertable_schema = 'public' AND hypertable_name = 'trades';
