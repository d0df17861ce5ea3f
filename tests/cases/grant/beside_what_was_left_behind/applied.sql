SELECT has_table_privilege('grant_left', 'public.trades', 'SELECT'),
       has_table_privilege('grant_left', '_timescaledb_internal.compress_hyper_905_906_chunk', 'SELECT');
