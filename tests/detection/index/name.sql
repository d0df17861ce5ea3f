ALTER INDEX public.ix_named RENAME TO ix_before;
