SELECT name = 'one', count(*) > 10 FROM public.daily GROUP BY name;
