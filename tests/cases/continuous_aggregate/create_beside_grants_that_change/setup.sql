CREATE ROLE new_exclusive;
CREATE ROLE new_less;
CREATE ROLE new_option;
CREATE ROLE new_revoked;
CREATE TABLE public.trades (time timestamptz NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
