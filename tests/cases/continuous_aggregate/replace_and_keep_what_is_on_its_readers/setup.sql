CREATE ROLE remade_owner LOGIN;
CREATE ROLE "Remade""reader""";
GRANT CREATE ON SCHEMA public TO remade_owner;
CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
INSERT INTO public.trades SELECT g, 'a', 1 FROM generate_series(timestamptz '2026-01-01 00:00+00', '2026-01-20 00:00+00', '1 hour') AS g;
CREATE MATERIALIZED VIEW public.hourly WITH (timescaledb.continuous) AS
SELECT public.time_bucket('1 hour', time) AS bucket, symbol, avg(price) AS price, sum(price) AS total FROM public.trades GROUP BY 1, 2 WITH NO DATA;
CREATE MATERIALIZED VIEW public."Daily ""d""" WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT public.time_bucket('1 day', bucket) AS "the day", symbol, max(price) AS price FROM public.hourly GROUP BY 1, 2 WITH NO DATA;
CREATE MATERIALIZED VIEW public.weekly WITH (timescaledb.continuous) AS
SELECT public.time_bucket('7 days', "the day") AS week, symbol, max(price) AS price FROM public."Daily ""d""" GROUP BY 1, 2 WITH NO DATA;
SELECT set_chunk_time_interval('public.weekly', INTERVAL '77 days');
ALTER MATERIALIZED VIEW public.hourly OWNER TO remade_owner;
ALTER MATERIALIZED VIEW public."Daily ""d""" OWNER TO remade_owner;
ALTER MATERIALIZED VIEW public.weekly OWNER TO remade_owner;
GRANT SELECT ON public.trades TO remade_owner;
GRANT SELECT ON public.hourly TO "Remade""reader""";
GRANT UPDATE (price), SELECT (total) ON public.hourly TO "Remade""reader""";
GRANT SELECT, INSERT ON public."Daily ""d""" TO "Remade""reader""" WITH GRANT OPTION;
GRANT UPDATE ("the day") ON public."Daily ""d""" TO PUBLIC;
GRANT SELECT ON public.weekly TO "Remade""reader""";
COMMENT ON VIEW public.hourly IS 'prices by the hour';
COMMENT ON COLUMN public.hourly.price IS 'the average';
COMMENT ON COLUMN public.hourly.total IS 'all of them';
COMMENT ON VIEW public."Daily ""d""" IS 'it''s $$ the \ day''s
high';
COMMENT ON COLUMN public."Daily ""d"""."the day" IS 'its beginning';
COMMENT ON VIEW public.weekly IS 'left empty';
