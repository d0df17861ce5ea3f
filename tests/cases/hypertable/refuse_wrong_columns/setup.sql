CREATE DOMAIN public.moment AS timestamptz;
CREATE TABLE public.trades (time timestamptz NOT NULL, at public.moment NOT NULL, day date NOT NULL, tick int NOT NULL,
                            symbol text, doc json);
CREATE TABLE public.a (LIKE public.trades);
CREATE TABLE public.b (LIKE public.trades);
CREATE TABLE public.c (LIKE public.trades);
CREATE TABLE public.d (LIKE public.trades);
CREATE TABLE public.e (LIKE public.trades);
CREATE TABLE public.f (LIKE public.trades);
CREATE TABLE public.g (LIKE public.trades);
CREATE TABLE public.h (LIKE public.trades);
