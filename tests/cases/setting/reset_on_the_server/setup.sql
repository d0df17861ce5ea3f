ALTER SYSTEM SET bgwriter_delay = '200ms';
