-- The demo's schema, as a team's own migrations would have left it: three hypertables with the
-- server's defaults, one table that never became one, and several weeks of rows.
CREATE TABLE public.market_data (
    time   timestamptz NOT NULL,
    symbol text NOT NULL,
    price  double precision NOT NULL,
    volume bigint NOT NULL,
    venue  text
);
CREATE TABLE public.trades (
    time       timestamptz NOT NULL,
    trade_id   bigint NOT NULL,
    account_id integer NOT NULL,
    symbol     text NOT NULL,
    side       text NOT NULL,
    quantity   numeric NOT NULL,
    price      numeric NOT NULL,
    status     text NOT NULL DEFAULT 'settled'
);
CREATE TABLE public.portfolio_snapshots (
    time       timestamptz NOT NULL,
    account_id integer NOT NULL,
    value      numeric NOT NULL,
    cash       numeric NOT NULL
);
CREATE TABLE public.system_logs (
    time    timestamptz NOT NULL,
    service text NOT NULL,
    level   text NOT NULL,
    message text NOT NULL
);

SELECT public.create_hypertable('public.market_data', public.by_range('time'));
SELECT public.create_hypertable('public.trades', public.by_range('time'));
SELECT public.create_hypertable('public.system_logs', public.by_range('time', INTERVAL '1 day'));

INSERT INTO public.market_data
SELECT t, s.symbol, 100 + 10 * sin(extract(epoch FROM t) / 86400) + s.n, 1000 + (extract(epoch FROM t)::bigint % 977), 'XETR'
  FROM generate_series(now() - INTERVAL '35 days', now(), INTERVAL '3 minutes') AS t,
       (VALUES ('AAPL', 1), ('MSFT', 2), ('SAP', 3), ('BTC', 4), ('ETH', 5), ('EURUSD', 6), ('GOLD', 7), ('OIL', 8)) AS s (symbol, n);

INSERT INTO public.trades
SELECT now() - i * INTERVAL '40 seconds', i, i % 50, (ARRAY['AAPL', 'MSFT', 'SAP', 'BTC'])[1 + i % 4],
       CASE WHEN i % 2 = 0 THEN 'buy' ELSE 'sell' END, 1 + i % 100, 90 + i % 20,
       CASE WHEN i % 500 = 0 THEN 'open' ELSE 'settled' END
  FROM generate_series(1, 75000) AS i;

INSERT INTO public.portfolio_snapshots
SELECT t, a, 100000 + a * 10, 5000
  FROM generate_series(now() - INTERVAL '35 days', now(), INTERVAL '1 hour') AS t, generate_series(1, 25) AS a;

INSERT INTO public.system_logs
SELECT t, (ARRAY['gateway', 'matcher', 'risk', 'settlement'])[1 + i % 4],
       CASE WHEN i % 200 = 0 THEN 'error' WHEN i % 20 = 0 THEN 'warning' ELSE 'info' END, 'event ' || i
  FROM (SELECT now() - i * INTERVAL '1 minute' AS t, i FROM generate_series(1, 60000) AS i) AS series;

ANALYZE public.market_data, public.trades, public.portfolio_snapshots, public.system_logs;
