CREATE ROLE rest_absent;
CREATE ROLE rest_less;
CREATE ROLE rest_more;
CREATE ROLE rest_new;
CREATE ROLE rest_revoked;
CREATE TABLE public.notes (id int);
CREATE TABLE public.trades (time timestamptz NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
