CREATE TABLE public.rounds (round smallint NOT NULL, score int);
