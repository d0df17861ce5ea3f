CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
CREATE MATERIALIZED VIEW public.hourly WITH (timescaledb.continuous) AS
SELECT public.time_bucket('1 hour', time) AS bucket, symbol, avg(price) AS price FROM public.trades GROUP BY 1, 2
  WITH NO DATA;
CREATE MATERIALIZED VIEW public.read_only WITH (timescaledb.continuous) AS
SELECT public.time_bucket('1 hour', time) AS bucket, symbol, avg(price) AS price FROM public.trades GROUP BY 1, 2
  WITH NO DATA;
CREATE FUNCTION public.newest() RETURNS float8 LANGUAGE sql RETURN (SELECT max(price) FROM public.hourly);
CREATE FUNCTION public."In Parts"(since timestamptz) RETURNS SETOF float8 LANGUAGE sql
BEGIN ATOMIC
  SELECT price FROM public.read_only WHERE bucket > since;
END;
CREATE FUNCTION public.unseen() RETURNS float8 LANGUAGE sql AS 'SELECT max(price) FROM public.hourly';
CREATE FUNCTION public.doubled(hourly public.hourly) RETURNS float8 LANGUAGE sql AS 'SELECT 2 * ($1).price';
CREATE TABLE public.kept (id int, was public.hourly, all_of public.hourly[]);
CREATE VIEW public.none_of AS SELECT NULL::public.hourly AS nothing;
