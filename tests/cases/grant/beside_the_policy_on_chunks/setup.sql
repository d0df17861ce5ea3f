CREATE ROLE grant_beside_chunks;
CREATE TABLE public.trades (time timestamptz NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
INSERT INTO public.trades VALUES ('2020-01-01', 1);
CREATE MATERIALIZED VIEW public.daily WITH (timescaledb.continuous) AS
  SELECT public.time_bucket('1 day', time) AS bucket, max(price) AS price FROM public.trades GROUP BY 1 WITH NO DATA;
GRANT SELECT ON public.trades, public.daily TO grant_beside_chunks;
-- What the tables have, their chunks have too. This is granted on a chunk, on what an aggregate is kept in and on
-- somebody's own table alone.
CREATE TABLE _timescaledb_internal.of_somebody (price float8);
GRANT SELECT ON _timescaledb_internal.of_somebody TO grant_beside_chunks;
GRANT DELETE ON _timescaledb_internal._hyper_1_1_chunk TO grant_beside_chunks;
GRANT UPDATE (price), INSERT ON _timescaledb_internal._materialized_hypertable_2 TO grant_beside_chunks;
