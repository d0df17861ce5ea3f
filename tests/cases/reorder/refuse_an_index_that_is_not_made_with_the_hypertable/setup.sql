CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text NOT NULL, price float8);
CREATE TABLE public.parts (time timestamptz NOT NULL, symbol text NOT NULL, price float8);
