CREATE TABLE public.trades (id bigint PRIMARY KEY, time timestamptz NOT NULL, symbol text);
CREATE UNIQUE INDEX trades_once ON public.trades (time, id);
