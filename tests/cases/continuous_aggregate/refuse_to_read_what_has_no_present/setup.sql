CREATE TABLE public.ticks (at bigint NOT NULL, price float8);
CREATE TABLE public.trades (at bigint NOT NULL, price float8);
CREATE FUNCTION public.ticks_now() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 1000::bigint';
CREATE FUNCTION public.trades_now() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 900000::bigint';
SELECT create_hypertable('public.ticks', by_range('at', 100));
SELECT create_hypertable('public.trades', by_range('at', 100));
SELECT set_integer_now_func('public.ticks', 'public.ticks_now');
INSERT INTO public.ticks SELECT i, i FROM generate_series(500, 999, 10) AS i;
INSERT INTO public.trades SELECT i, i FROM generate_series(500, 999, 10) AS i;
CREATE MATERIALIZED VIEW public.by_ten WITH (timescaledb.continuous) AS
  SELECT public.time_bucket(10, at) AS bucket, max(price) AS price FROM public.ticks GROUP BY 1 WITH NO DATA;
SELECT add_retention_policy('public.by_ten', 800::bigint);
