CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text NOT NULL, venue text, price float8, volume bigint);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
SELECT add_retention_policy('public.trades', INTERVAL '90 days');

SELECT alter_job(job_id, config => config || '{"drop_after": "P7D"}')
  FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention';
