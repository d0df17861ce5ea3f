CREATE TABLE public.events (at bigint NOT NULL, body text);
CREATE FUNCTION public.in_seconds() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 1000::bigint';
CREATE FUNCTION public.in_millis() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 1000000::bigint';
SELECT create_hypertable('public.events', by_range('at', 100));
SELECT set_integer_now_func('public.events', 'public.in_seconds');
INSERT INTO public.events SELECT i, 'x' FROM generate_series(500, 999, 50) AS i;
CREATE MATERIALIZED VIEW public.by_ten WITH (timescaledb.continuous) AS
  SELECT public.time_bucket(10, at) AS bucket, count(*) AS events FROM public.events GROUP BY 1 WITH NO DATA;
SELECT add_retention_policy('public.by_ten', 900);
