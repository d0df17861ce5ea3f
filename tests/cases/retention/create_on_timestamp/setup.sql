CREATE TABLE public.trades (time timestamp NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 week'));
INSERT INTO public.trades VALUES ('2020-01-01', 1), ('2020-02-01', 2), ('2100-01-01', 3);
ANALYZE public.trades;
