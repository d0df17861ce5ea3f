CREATE TABLE public.h (at timestamptz NOT NULL, device text, v int);
SELECT public.create_hypertable('public.h', public.by_range('at', INTERVAL '7 days'));
INSERT INTO public.h VALUES ('2026-01-01', 'a', 1), ('2026-03-01', 'b', 2);
ALTER TABLE public.h SET (timescaledb.compress, timescaledb.compress_segmentby = 'device');
SELECT public.compress_chunk(chunk) FROM public.show_chunks('public.h') AS chunk LIMIT 1;
