CREATE TABLE public.a (at int NOT NULL);
CREATE TABLE public.b (at int NOT NULL);
CREATE TABLE public.c (at int NOT NULL);
CREATE FUNCTION public.volatile_now() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE FUNCTION public.big_now() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 1::bigint';
CREATE FUNCTION public.other_now(int) RETURNS int LANGUAGE sql STABLE AS 'SELECT 1';
