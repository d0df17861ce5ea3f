ALTER TABLE public.trades SET (timescaledb.segmentby = 'venue', timescaledb.orderby = 'price', timescaledb.sparse_index = 'bloom(volume)');
SELECT alter_job(job_id, config => config || '{"compress_after": "1 day"}', schedule_interval => INTERVAL '1 hour',
           fixed_schedule => false, max_runtime => INTERVAL '1 minute', max_retries => 1,
           retry_period => INTERVAL '1 minute', timezone => 'UTC')
  FROM timescaledb_information.jobs WHERE proc_name = 'policy_compression';
