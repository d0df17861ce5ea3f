SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'role_later');
SELECT count(*) = 3 AND bool_and(relacl::text ~ '^.postgres=[a-zA-Z]+/postgres.$') FROM pg_class WHERE relnamespace = 'app'::regnamespace AND relkind IN ('r', 'S');
SELECT NOT EXISTS (SELECT FROM pg_default_acl);
SELECT count(*) = 2 AND bool_and(typacl::text ~ '^.=U/postgres,postgres=U/postgres.$') FROM pg_type WHERE typname IN ('Mood since', 'amount_since');
