CREATE PROCEDURE public.roll_up(job_id int, config jsonb) LANGUAGE sql AS 'SELECT';
