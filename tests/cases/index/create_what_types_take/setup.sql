CREATE DOMAIN public.amount AS numeric;
CREATE DOMAIN public.small_amount AS public.amount;
CREATE DOMAIN public.names AS text[];
CREATE TYPE public.mood AS ENUM ('good', 'bad');
CREATE TYPE public."Odd pair" AS (a int, b text);
CREATE TABLE public.docs (
    short varchar(10), fixed char(4), price public.small_amount, mood public.mood, pair public."Odd pair", tags text[],
    names public.names, span int4range, doc jsonb, place point, address inet, net cidr, moods public.mood[],
    pairs public."Odd pair"[], name name, moments timestamptz
);
