CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
CREATE PROCEDURE public.by_itself(job_id int, config jsonb) LANGUAGE plpgsql AS
  $$ BEGIN PERFORM drop_chunks('trades', INTERVAL '90 days'); END $$;
SELECT add_job('public.by_itself', '1 day', scheduled => false);
SELECT add_retention_policy('public.trades', INTERVAL '20 years');
SELECT alter_job(id, scheduled => false) FROM timescaledb_information.jobs, LATERAL (SELECT job_id) AS j (id) WHERE proc_name = 'policy_retention';
