CREATE TABLE public.trades (time timestamptz NOT NULL);
CREATE VIEW public.trades_view AS SELECT * FROM public.trades;
CREATE MATERIALIZED VIEW public.trades_kept AS SELECT * FROM public.trades;
CREATE TABLE public.trades_parts (time timestamptz NOT NULL) PARTITION BY RANGE (time);
