DROP INDEX _timescaledb_internal._hyper_1_1_chunk_ix_plain;
-- Its name is another's now.
DROP INDEX _timescaledb_internal._hyper_1_4_chunk_ix_plain;
CREATE INDEX _hyper_1_4_chunk_ix_plain ON _timescaledb_internal._hyper_1_4_chunk (price);
-- One of two that only their predicates tell apart.
DROP INDEX _timescaledb_internal._hyper_1_2_chunk_ix_dear;
UPDATE pg_index SET indisvalid = false
WHERE indexrelid = '_timescaledb_internal."_hyper_1_3_chunk_Ix ""lower"" b"'::regclass;
DROP INDEX _timescaledb_internal._hyper_1_5_chunk_ix_unique;
