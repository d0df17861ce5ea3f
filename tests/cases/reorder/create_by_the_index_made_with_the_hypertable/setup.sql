CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text NOT NULL, price float8);
