CREATE TABLE public.ticks (time timestamptz NOT NULL, symbol text);
