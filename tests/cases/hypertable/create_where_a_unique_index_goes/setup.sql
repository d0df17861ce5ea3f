CREATE TABLE public.trades (time timestamptz NOT NULL, id bigint);
CREATE UNIQUE INDEX trades_once ON public.trades (id);
