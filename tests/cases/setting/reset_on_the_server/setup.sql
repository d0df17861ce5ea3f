ALTER SYSTEM SET bgwriter_delay = '300ms';
