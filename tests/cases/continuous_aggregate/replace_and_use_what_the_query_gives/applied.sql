SELECT count(*) = 240 AND min(low) = 0 FROM public.hourly;
SELECT count(*) = 15 AND max(price) = 239 FROM public.daily;
SELECT count(*) = 2 FROM pg_indexes WHERE indexname IN ('ix_hourly_low', 'ix_daily_low');
SELECT bool_or(segmentby = 'symbol' AND orderby LIKE 'hour,%') FROM timescaledb_information.hypertable_compression_settings;
