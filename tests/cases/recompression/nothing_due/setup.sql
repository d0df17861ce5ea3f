CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text NOT NULL, venue text, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
INSERT INTO public.trades
SELECT timestamptz '2020-01-01 00:00+00' + i * INTERVAL '6 hours', 'S' || i % 3, 'X', i FROM generate_series(0, 11) AS i;
ALTER TABLE public.trades SET (timescaledb.compress, timescaledb.compress_segmentby = 'symbol', timescaledb.compress_orderby = 'time DESC');
SELECT compress_chunk(c) FROM show_chunks('public.trades') AS c;
