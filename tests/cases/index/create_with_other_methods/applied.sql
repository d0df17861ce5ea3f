SELECT count(*) = 5 FROM pg_class AS c JOIN pg_am AS m ON m.oid = c.relam WHERE c.relname = 'ix_' || m.amname;
SELECT indexdef = 'CREATE INDEX ix_brin ON public.orders USING brin (at) WITH (autosummarize=''true'', pages_per_range=''32'')' FROM pg_indexes WHERE schemaname = 'public' AND indexname = 'ix_brin';
