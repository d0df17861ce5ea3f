SELECT count(*) = 4 FROM pg_index WHERE indisunique AND indexrelid::regclass::text ~ 'ix_ticks';
SELECT count(*) = 0 FROM pg_class WHERE relname ~ '_chronoform_';
