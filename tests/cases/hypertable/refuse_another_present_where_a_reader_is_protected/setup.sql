CREATE TABLE public.events (at bigint NOT NULL, body text);
CREATE FUNCTION public.newest() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 1000::bigint';
CREATE FUNCTION public.earlier() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 700::bigint';
SELECT create_hypertable('public.events', by_range('at', 100));
SELECT set_integer_now_func('public.events', 'public.newest');
INSERT INTO public.events SELECT i, 'x' FROM generate_series(0, 999, 5) AS i;
CREATE MATERIALIZED VIEW public.by_ten WITH (timescaledb.continuous) AS
  SELECT public.time_bucket(10, at) AS bucket, count(*) AS events FROM public.events GROUP BY 1 WITH NO DATA;
CREATE MATERIALIZED VIEW public.by_hundred WITH (timescaledb.continuous) AS
  SELECT public.time_bucket(100, bucket) AS bucket, sum(events) AS events FROM public.by_ten GROUP BY 1 WITH NO DATA;
-- What it reads is all there.
CREATE MATERIALIZED VIEW public.by_twenty WITH (timescaledb.continuous) AS
  SELECT public.time_bucket(20, at) AS bucket, count(*) AS events FROM public.events GROUP BY 1 WITH NO DATA;
SELECT add_continuous_aggregate_policy('public.by_ten', 400::bigint, 10::bigint, INTERVAL '1 hour');
SELECT add_continuous_aggregate_policy('public.by_hundred', 400::bigint, 10::bigint, INTERVAL '1 hour');
SELECT add_continuous_aggregate_policy('public.by_twenty', 200::bigint, 10::bigint, INTERVAL '1 hour');
