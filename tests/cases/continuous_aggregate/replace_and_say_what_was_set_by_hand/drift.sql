ALTER MATERIALIZED VIEW public.hourly SET (timescaledb.compress_segmentby = 'symbol', timescaledb.compress_orderby = 'bucket');
SELECT alter_job(job_id, max_runtime => INTERVAL '7 minutes', max_retries => 3) FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention';
SELECT alter_job(job_id, max_runtime => INTERVAL '8 minutes') FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate';
ALTER INDEX _timescaledb_internal.ix_hourly_price SET (fillfactor = 50);
