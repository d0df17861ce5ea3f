CREATE ROLE grant_left;
CREATE TABLE public.trades (time timestamptz NOT NULL, price float8);
-- As TimescaleDB leaves it behind, with what was granted, when it drops an aggregate with compressed chunks.
CREATE TABLE _timescaledb_internal.compress_hyper_905_906_chunk (price float8);
GRANT SELECT ON _timescaledb_internal.compress_hyper_905_906_chunk TO grant_left;
GRANT INSERT ON public.trades TO grant_left;
