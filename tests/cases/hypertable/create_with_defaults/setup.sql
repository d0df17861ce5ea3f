-- Time may be NULL here: TimescaleDB makes it NOT NULL.
CREATE TABLE public.trades (time timestamptz, price numeric);
