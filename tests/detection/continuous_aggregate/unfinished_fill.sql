-- import: goes on
DO $$ BEGIN
    EXECUTE (SELECT format('COMMENT ON TABLE _timescaledb_internal.%I IS %L', materialization_hypertable_name,
                           'chronoform: being filled from its beginning to its end; this comment goes once that is done')
               FROM timescaledb_information.continuous_aggregates WHERE view_name = 'hourly'); END $$;
