CREATE TABLE public.events (at bigint NOT NULL, symbol text, venue int, order_id bigint);
CREATE FUNCTION public.unix_now() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 1767225600::bigint';
SELECT create_hypertable('public.events', by_range('at', 3600));
SELECT add_dimension('public.events', by_hash('symbol', 2));
INSERT INTO public.events VALUES (1, 'a', 1, 1), (10000, 'b', 2, 2);
