CREATE ROLE role_group;
CREATE ROLE role_more SUPERUSER BYPASSRLS CREATEDB LOGIN;
GRANT role_group TO role_more;
GRANT pg_monitor TO role_more;
