CREATE EXTENSION bloom;
CREATE TABLE public.docs (id int, other int, note text);
