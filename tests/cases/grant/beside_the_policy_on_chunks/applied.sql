SELECT has_table_privilege('grant_beside_chunks', '_timescaledb_internal._hyper_1_1_chunk', 'DELETE');
