CREATE ROLE kept_ticker;
CREATE TABLE public.ticks (at bigint NOT NULL, symbol text NOT NULL, price float8);
SELECT create_hypertable('public.ticks', by_range('at', 100));
CREATE SEQUENCE public.calls;
CREATE FUNCTION public.ticks_now() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT pg_catalog.nextval(''public.calls'') + 1000';
SELECT set_integer_now_func('public.ticks', 'public.ticks_now');
ALTER FUNCTION public.ticks_now() OWNER TO kept_ticker;
INSERT INTO public.ticks SELECT i, 'S', i FROM generate_series(0, 999, 50) AS i;
ANALYZE public.ticks;
