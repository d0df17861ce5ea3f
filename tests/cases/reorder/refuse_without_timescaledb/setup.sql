CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text NOT NULL);
CREATE INDEX ix_symbol ON public.trades (symbol);
