CREATE TABLE public.ticks (at bigint NOT NULL, symbol text NOT NULL, price float8);
SELECT create_hypertable('public.ticks', by_range('at', 100));
CREATE FUNCTION public.ticks_now() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT max(at) FROM ticks';
SELECT set_integer_now_func('public.ticks', 'public.ticks_now');
INSERT INTO public.ticks SELECT i, 'S', i FROM generate_series(0, 999, 50) AS i;
ANALYZE public.ticks;
