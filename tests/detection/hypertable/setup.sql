CREATE TABLE public.events (at bigint NOT NULL, received bigint NOT NULL, symbol text, venue int, order_id bigint);
CREATE FUNCTION public.unix_now() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 1767225600::bigint';
CREATE FUNCTION public.other_now() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 1::bigint';
