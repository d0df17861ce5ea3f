CREATE TABLE public.trades (time timestamptz NOT NULL, order_id bigint, settled date);
