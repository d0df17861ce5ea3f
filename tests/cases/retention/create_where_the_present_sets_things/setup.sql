CREATE TABLE public.ticks (at bigint NOT NULL, symbol text NOT NULL, price float8);
SELECT create_hypertable('public.ticks', by_range('at', 100));
CREATE FUNCTION public.ticks_now() RETURNS bigint LANGUAGE plpgsql STABLE AS
    'BEGIN PERFORM pg_catalog.set_config(''search_path'', ''public'', false); RETURN 1000; END';
SELECT set_integer_now_func('public.ticks', 'public.ticks_now');
INSERT INTO public.ticks SELECT i, 'S', i FROM generate_series(0, 999, 50) AS i;
CREATE MATERIALIZED VIEW public.tens WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS
    SELECT time_bucket(10, at) AS bucket, max(price) AS highest FROM public.ticks GROUP BY 1 WITH NO DATA;
ANALYZE public.ticks;
