CREATE TABLE public.orders (id bigint NOT NULL, symbol text, price numeric, at timestamptz NOT NULL, day timestamp);
CREATE FUNCTION public.rate(numeric) RETURNS numeric LANGUAGE plpgsql STABLE AS 'BEGIN RETURN $1; END';
