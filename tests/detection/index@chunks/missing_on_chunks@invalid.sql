-- not: embedded
UPDATE pg_index SET indisvalid = false WHERE indexrelid = '_timescaledb_internal._hyper_1_2_chunk_ix_full'::regclass;
