CREATE TABLE public.ticks (time timestamptz NOT NULL, price numeric);
