SELECT config ->> 'drop_after' = '90 days', schedule_interval = INTERVAL '1 day', max_retries = 5
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_retention' AND hypertable_schema = 'public' AND hypertable_name = 'md_trades';
SELECT pg_get_indexdef('public.ix_md_trades_symbol'::regclass) LIKE '%(symbol, "time" DESC)',
       (SELECT reloptions IS NULL FROM pg_class WHERE oid = 'public.md_trades'::regclass);
