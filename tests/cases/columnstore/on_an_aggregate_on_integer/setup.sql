CREATE TABLE public.ticks (at bigint NOT NULL, symbol text NOT NULL, price float8);
CREATE FUNCTION public.ticks_now() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 1000::bigint';
SELECT create_hypertable('public.ticks', by_range('at', 100));
SELECT set_integer_now_func('public.ticks', 'public.ticks_now');
INSERT INTO public.ticks SELECT i, 'S', i FROM generate_series(0, 999, 5) AS i;
