SELECT count(*) = 2, count(DISTINCT config) = 2 FROM public.actions WHERE proc_name = 'roll_up';
SELECT schedule_interval = CASE config ->> 'keep' WHEN '7 days' THEN INTERVAL '2 hours' ELSE INTERVAL '1 hour' END FROM public.actions;
