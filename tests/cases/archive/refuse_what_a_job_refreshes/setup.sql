CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
CREATE MATERIALIZED VIEW public.hourly WITH (timescaledb.continuous) AS
  SELECT public.time_bucket('1 hour', time) AS bucket, count(*) AS n FROM public.trades GROUP BY 1 WITH NO DATA;
CREATE MATERIALIZED VIEW public.daily WITH (timescaledb.continuous) AS
  SELECT public.time_bucket('1 day', time) AS bucket, count(*) AS n FROM public.trades GROUP BY 1 WITH NO DATA;
SELECT add_job('_timescaledb_functions.policy_refresh_continuous_aggregate', '1 day', initial_start => 'infinity',
               config => jsonb_build_object('mat_hypertable_id', mat_hypertable_id, 'start_offset', '90 days', 'end_offset', '1 day'))
  FROM _timescaledb_catalog.continuous_agg WHERE user_view_name = 'hourly';
CREATE PROCEDURE public.fill(job_id int, config jsonb) LANGUAGE plpgsql AS
  $$ BEGIN CALL refresh_continuous_aggregate('public.daily', now() - INTERVAL '30 days', now()); END $$;
SELECT add_job('public.fill', '1 day', initial_start => 'infinity');
SELECT add_job('public.fill', '1 day', initial_start => 'infinity', config => '{"start_offset": "30 days"}');
-- It hides nothing of this.
SELECT add_retention_policy('public.trades', INTERVAL '20 years');
