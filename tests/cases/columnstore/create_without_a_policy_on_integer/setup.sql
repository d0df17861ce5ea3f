CREATE TABLE public.ticks (tick bigint NOT NULL, symbol text);
SELECT create_hypertable('public.ticks', by_range('tick', 1000));
CREATE FUNCTION public.unix_now() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 1767225600::bigint';
SELECT set_integer_now_func('public.ticks', 'public.unix_now');
