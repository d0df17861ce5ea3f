CREATE TABLE public.events (at int NOT NULL, body text);
CREATE FUNCTION public.now_a() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1';
CREATE FUNCTION public.now_b() RETURNS int LANGUAGE sql STABLE AS 'SELECT 2';
SELECT create_hypertable('public.events', by_range('at', 3600));
SELECT set_integer_now_func('public.events', 'public.now_a');
