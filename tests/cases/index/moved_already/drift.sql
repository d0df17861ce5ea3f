ALTER INDEX public.old RENAME TO new;
