SELECT count(*) = 4 FROM pg_index WHERE indisclustered AND indexrelid::regclass::text ~ 'ix_ticks';
