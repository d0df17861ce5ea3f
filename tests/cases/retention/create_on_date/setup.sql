CREATE TABLE public.trades (day date NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('day', INTERVAL '1 month'));
INSERT INTO public.trades VALUES ('2020-01-01', 1), ('2020-03-01', 2), ('2100-01-01', 3);
ANALYZE public.trades;
