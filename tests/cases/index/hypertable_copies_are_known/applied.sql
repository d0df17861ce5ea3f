SELECT count(*) = 0 FROM pg_indexes WHERE indexname = '_hyper_1_1_chunk_ix_symbol';
