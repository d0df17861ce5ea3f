SELECT count(*) = 7 AND bool_and(i.indisvalid) FROM pg_catalog.pg_index AS i
 WHERE i.indexrelid::regclass::text IN ('ix_inlined', 'ix_zone', 'ix_row', 'ix_constant', 'ix_never', 'ix_words', 'ix_split');
