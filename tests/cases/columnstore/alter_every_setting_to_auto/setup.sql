CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text NOT NULL, venue text, price float8, volume bigint);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));

INSERT INTO public.trades
SELECT timestamptz '2020-01-01 00:00+00' + i * INTERVAL '6 hours', 'S' || i % 3, 'X', i, i FROM generate_series(0, 11) AS i;
INSERT INTO public.trades VALUES ('2100-01-01 00:00+00', 'S1', 'X', 1, 1);
ANALYZE public.trades;
ALTER TABLE public.trades SET (
    timescaledb.enable_columnstore = true, timescaledb.segmentby = 'symbol', timescaledb.orderby = 'time DESC, price',
    timescaledb.sparse_index = 'bloom(venue)');
SELECT count(compress_chunk(c)) FROM show_chunks('public.trades', older_than => timestamptz '2050-01-01') AS c;
