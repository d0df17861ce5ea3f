CREATE TYPE public.pair AS (x int, y int);
CREATE TABLE public.orders (id int NOT NULL, symbol text, price numeric, at timestamptz NOT NULL, day timestamp);
CREATE TABLE public.split (id int NOT NULL, symbol text) PARTITION BY RANGE (id);
CREATE TABLE public.split_1 PARTITION OF public.split FOR VALUES FROM (0) TO (10);
CREATE FUNCTION public.simple(text) RETURNS text LANGUAGE sql STABLE AS 'SELECT lower($1)';
CREATE FUNCTION public.both(int) RETURNS public.pair LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN ROW($1, 2)::public.pair; END';
INSERT INTO public.orders SELECT g, 's' || g, g, timestamptz '2026-01-01 00:00:00+00', '2026-01-01' FROM generate_series(1, 3) AS g;
