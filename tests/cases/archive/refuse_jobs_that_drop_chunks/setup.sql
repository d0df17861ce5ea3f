CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
CREATE TABLE public.quotes (time timestamptz NOT NULL, symbol text);
SELECT create_hypertable('public.quotes', by_range('time', INTERVAL '1 day'));
CREATE FUNCTION public.purge(what regclass) RETURNS void LANGUAGE sql AS
  $$ SELECT drop_chunks(what, INTERVAL '90 days') $$;
CREATE PROCEDURE public.by_itself(job_id int, config jsonb) LANGUAGE plpgsql AS
  $$ BEGIN PERFORM drop_chunks('trades', INTERVAL '90 days'); END $$;
CREATE PROCEDURE public.by_another(job_id int, config jsonb) LANGUAGE plpgsql AS
  $$ BEGIN PERFORM public.purge((config ->> 'table')::regclass); END $$;
CREATE PROCEDURE public.of_all(job_id int, config jsonb) LANGUAGE plpgsql AS
  $$ BEGIN PERFORM public.purge(format('%I.%I', hypertable_schema, hypertable_name)) FROM timescaledb_information.hypertables; END $$;
CREATE PROCEDURE public.later(job_id int, config jsonb) LANGUAGE plpgsql AS
  $$ BEGIN PERFORM drop_chunks(show_chunks('public.trades')); END $$;
CREATE PROCEDURE public.harmless(job_id int, config jsonb) LANGUAGE plpgsql AS
  $$ BEGIN PERFORM count(*) FROM public.trades; END $$;
SELECT add_job('public.by_itself', '1 day', initial_start => 'infinity');
SELECT add_job('public.by_another', '1 day', config => '{"table": "public.trades"}', initial_start => 'infinity');
SELECT add_job('public.by_another', '1 day', config => '{"table": "public.quotes"}', initial_start => 'infinity');
SELECT add_job('public.by_another', '1 day', initial_start => 'infinity');
SELECT add_job('public.of_all', '1 day', config => '{"but": "public.quotes"}', initial_start => 'infinity');
SELECT add_job('public.harmless', '1 day', initial_start => 'infinity');
