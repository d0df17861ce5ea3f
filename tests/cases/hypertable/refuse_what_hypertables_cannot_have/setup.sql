CREATE TABLE public.base (time timestamptz NOT NULL, v int);
CREATE TABLE public.heir () INHERITS (public.base);
CREATE TABLE public.checked (time timestamptz NOT NULL, v int, CONSTRAINT positive CHECK (v > 0) NO INHERIT);
CREATE TABLE public.ruled (time timestamptz NOT NULL, v int);
CREATE RULE quiet AS ON DELETE TO public.ruled DO INSTEAD NOTHING;
CREATE TABLE public.watched (time timestamptz NOT NULL, v int);
CREATE FUNCTION public.watch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER watcher AFTER INSERT ON public.watched REFERENCING NEW TABLE AS new_rows
  FOR EACH ROW EXECUTE FUNCTION public.watch();
CREATE TABLE public.target (time timestamptz NOT NULL, v int, UNIQUE (v, time));
SELECT create_hypertable('public.target', by_range('time', INTERVAL '1 day'));
CREATE TABLE public.pointing (time timestamptz NOT NULL, v int,
                              CONSTRAINT points FOREIGN KEY (v, time) REFERENCES public.target (v, time));
CREATE TABLE public.computed (time timestamptz NOT NULL,
                              day date GENERATED ALWAYS AS ((time AT TIME ZONE 'UTC')::date) STORED);
CREATE TABLE public.emptied (v int, time timestamptz NOT NULL, PRIMARY KEY (v, time));
INSERT INTO public.emptied VALUES (1, '2026-01-01 00:00+00');
CREATE TABLE public.pointer (v int, time timestamptz,
                             CONSTRAINT points_back FOREIGN KEY (v, time) REFERENCES public.emptied (v, time));
ANALYZE public.emptied;
