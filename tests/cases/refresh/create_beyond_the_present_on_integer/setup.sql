CREATE TABLE public.ticks (at smallint NOT NULL, symbol text NOT NULL, price float8);
CREATE FUNCTION public.ticks_now() RETURNS smallint LANGUAGE sql STABLE AS 'SELECT 1000::smallint';
