CREATE PROCEDURE public.roll_up(job_id int, config jsonb) LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE FUNCTION public.other(job_id int, config jsonb) RETURNS void LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE FUNCTION public.check_it(config jsonb) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    IF config ? 'wrong' THEN RAISE EXCEPTION 'the configuration is wrong'; END IF;
END $$;

-- What the view of jobs does not show is only in a table that has moved between versions.
DO $$ BEGIN
    EXECUTE format('CREATE VIEW public.actions AS SELECT * FROM %s WHERE id >= 1000',
                   COALESCE(to_regclass('_timescaledb_catalog.bgw_job'), to_regclass('_timescaledb_config.bgw_job')));
END $$;
