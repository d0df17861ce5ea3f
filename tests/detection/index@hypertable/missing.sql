-- status: missing
DROP INDEX public.ix_full;
