-- also: schedule.max_runtime schedule.max_retries schedule.retry_period
SELECT remove_retention_policy('public.events');
SELECT add_retention_policy('public.events', drop_created_before => INTERVAL '90 days',
    schedule_interval => INTERVAL '12 hours', initial_start => '2035-01-01 02:00:00+00', timezone => 'Europe/Berlin');
