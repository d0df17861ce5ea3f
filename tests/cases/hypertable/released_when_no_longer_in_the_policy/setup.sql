CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text, price int);
