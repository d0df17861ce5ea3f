-- What somebody in a hurry does by hand: a longer retention, another columnstore order, an index gone.
SELECT public.alter_job(job_id, config => jsonb_set(config, '{drop_after}', '"60 days"'))
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_retention' AND hypertable_name = 'system_logs';
ALTER TABLE public.market_data SET (timescaledb.compress_orderby = 'time ASC');
DROP INDEX public.ix_trades_open;
