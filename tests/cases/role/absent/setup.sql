CREATE ROLE role_absent;
