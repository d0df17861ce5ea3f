CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
SELECT add_job('_timescaledb_functions.policy_retention', '1 day',
               config => jsonb_build_object('hypertable_id', (SELECT id FROM _timescaledb_catalog.hypertable WHERE table_name = 'trades'),
                                            'drop_after', '90 days'), initial_start => 'infinity');
