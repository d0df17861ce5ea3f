CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text NOT NULL, venue int NOT NULL,
                            PRIMARY KEY (symbol, venue, time));
