-- status: missing
ALTER INDEX public.ix_plain RENAME TO ix_other;
