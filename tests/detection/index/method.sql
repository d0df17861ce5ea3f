DROP INDEX public.ix_plain;
CREATE INDEX ix_plain ON public.events USING hash (symbol);
