CREATE TABLE public.symbols (symbol text PRIMARY KEY);
INSERT INTO public.symbols VALUES ('S0'), ('S1'), ('S2');

CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text NOT NULL, venue text, price float8, volume bigint);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
ALTER TABLE public.trades ADD FOREIGN KEY (symbol) REFERENCES public.symbols;

INSERT INTO public.trades
SELECT timestamptz '2020-01-01 00:00+00' + i * INTERVAL '6 hours', 'S' || i % 3, 'X', i, i FROM generate_series(0, 11) AS i;
INSERT INTO public.trades VALUES ('2100-01-01 00:00+00', 'S1', 'X', 1, 1);
ANALYZE public.trades;
