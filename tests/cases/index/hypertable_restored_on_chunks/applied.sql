SELECT count(*) = 5 FROM pg_indexes WHERE schemaname = '_timescaledb_internal' AND indexdef LIKE '%USING btree ("Sym b", "time" DESC) WITH (fillfactor=''80'')';
SELECT count(*) = 5 FROM pg_indexes WHERE schemaname = '_timescaledb_internal' AND indexdef LIKE '%(price > %50%)';
SELECT count(*) = 5 FROM pg_indexes WHERE schemaname = '_timescaledb_internal' AND indexdef LIKE '%(price < %5%)';
SELECT count(*) = 5 FROM pg_indexes WHERE schemaname = '_timescaledb_internal' AND indexdef LIKE '%(lower("Sym b")) INCLUDE (price)';
SELECT count(*) = 5 FROM pg_indexes WHERE schemaname = '_timescaledb_internal' AND indexdef LIKE 'CREATE UNIQUE INDEX %("Sym b", "time", price)';
SELECT count(*) = 0 FROM pg_index WHERE NOT indisvalid;
SELECT count(*) = 1 FROM pg_indexes WHERE indexname = '_hyper_1_4_chunk_ix_plain' AND indexdef LIKE '%(price)';
