SELECT count(*) = 1 FROM pg_indexes WHERE indexname = 'ix_by_hand';
