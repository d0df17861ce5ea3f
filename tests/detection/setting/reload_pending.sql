-- also: value
-- afterwards: ALTER SYSTEM RESET log_lock_waits
ALTER SYSTEM SET log_lock_waits = on;
