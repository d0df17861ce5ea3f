CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text NOT NULL, venue text, price float8, volume bigint);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));

CREATE FUNCTION public.gone() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER "Gone" AFTER DELETE ON public.trades REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.gone();
