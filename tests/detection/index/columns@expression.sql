DROP INDEX public.ix_lower;
CREATE INDEX ix_lower ON public.events (upper(symbol) text_pattern_ops);
