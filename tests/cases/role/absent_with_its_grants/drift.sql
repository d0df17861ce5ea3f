GRANT SELECT, UPDATE ON other.t TO role_leaving;
GRANT INSERT (note) ON other.t TO role_leaving;
