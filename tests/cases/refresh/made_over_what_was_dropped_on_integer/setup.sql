CREATE TABLE public.ticks (at integer NOT NULL, price float8);
CREATE FUNCTION public.ticks_now() RETURNS integer LANGUAGE sql STABLE AS 'SELECT 1000';
SELECT create_hypertable('public.ticks', by_range('at', 100));
SELECT set_integer_now_func('public.ticks', 'public.ticks_now');
INSERT INTO public.ticks SELECT i, i FROM generate_series(0, 999, 5) AS i;
CREATE MATERIALIZED VIEW public.by_ten WITH (timescaledb.continuous) AS
  SELECT public.time_bucket(10, at) AS bucket, max(price) AS price FROM public.ticks GROUP BY 1 WITH NO DATA;
CREATE MATERIALIZED VIEW public.by_fifty WITH (timescaledb.continuous) AS
  SELECT public.time_bucket(50, bucket) AS bucket, max(price) AS price FROM public.by_ten GROUP BY 1 WITH NO DATA;
SELECT public.set_chunk_time_interval('public.by_ten', 100);
