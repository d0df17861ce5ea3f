SELECT setting = '1min' FROM pg_file_settings WHERE name = 'log_autovacuum_min_duration' AND sourcefile ~ 'auto.conf$';
SELECT setting = '60000' FROM pg_settings WHERE name = 'log_autovacuum_min_duration';
SELECT setting = '1.5' FROM pg_settings WHERE name = 'autovacuum_vacuum_cost_delay';
