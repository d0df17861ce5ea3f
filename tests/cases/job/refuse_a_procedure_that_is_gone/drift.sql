ALTER PROCEDURE public.roll_up(int, jsonb) RENAME TO rolled_up;
