CREATE TABLE public.events (at timestamptz NOT NULL, received timestamptz NOT NULL);
CREATE TABLE public.ticks (at bigint NOT NULL, venue int, symbol text, order_id bigint, trade_id bigint);
CREATE FUNCTION public.unix_now() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 1767225600::bigint';
CREATE FUNCTION public.other_now() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 0::bigint';
