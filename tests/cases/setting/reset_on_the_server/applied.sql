SELECT count(*) = 0 FROM pg_file_settings WHERE name = 'bgwriter_delay';
SELECT setting = '200' FROM pg_settings WHERE name = 'bgwriter_delay';
