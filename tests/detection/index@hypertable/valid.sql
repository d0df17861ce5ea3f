-- not: embedded
DROP INDEX public.ix_ratio;
INSERT INTO public.events VALUES (1000, '2027-01-01', 'zero');
-- fails
CREATE INDEX ix_ratio ON public.events ((100 / (id - 1000))) WITH (timescaledb.transaction_per_chunk);
SELECT drop_chunks('public.events', newer_than => '2026-12-01'::timestamptz);
