SELECT proc_schema = 'Sch''em"a; --', proc_name = 'Pro''c $$ \ {{ x }} %s', check_name = 'che"ck; DROP TABLE x; --',
       max_retries = 3,
       config ->> 'it''s a "key" \ $$ %s {{ x }}' = E'\'; DROP TABLE public.actions; -- \n \u0001 😀'
  FROM public.actions;
