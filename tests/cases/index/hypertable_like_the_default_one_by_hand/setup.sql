CREATE TABLE public.trades (time timestamptz NOT NULL, price numeric);
