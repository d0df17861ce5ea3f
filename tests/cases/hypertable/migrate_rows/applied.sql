SELECT count(*) = 40 FROM public.trades;
SELECT count(*) = 0 FROM ONLY public.trades;
SELECT count(*) = 10 FROM timescaledb_information.chunks WHERE hypertable_schema = 'public' AND hypertable_name = 'trades';
