CREATE TABLE public.trades (time timestamptz NOT NULL, price float8);
INSERT INTO public.trades VALUES ('2020-01-01 00:00+00', 1);
