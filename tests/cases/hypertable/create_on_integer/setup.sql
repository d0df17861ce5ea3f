CREATE TABLE public.events (at bigint NOT NULL, body text);
CREATE FUNCTION public.unix_now() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 1767225600::bigint';
-- Another of the name does not confuse.
CREATE FUNCTION public.unix_now(text) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 1::bigint';
