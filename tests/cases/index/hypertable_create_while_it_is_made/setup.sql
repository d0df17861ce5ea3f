CREATE TABLE public.ticks (time timestamptz NOT NULL, symbol text, price float8, volume int);
