SELECT setting = '96' FROM pg_file_settings WHERE name = 'max_locks_per_transaction';
SELECT pending_restart AND setting = '64' FROM pg_settings WHERE name = 'max_locks_per_transaction';
