-- Nobody but a superuser can, and only behind the server's back.
UPDATE public.actions SET proc_name = 'other', config = config WHERE proc_name = 'roll_up';
