SELECT count(compress_chunk(c)) FROM show_chunks('public.trades', older_than => timestamptz '2050-01-01') AS c;
