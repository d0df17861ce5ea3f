-- also: schedule.every schedule.initial_start schedule.timezone schedule.max_runtime schedule.max_retries schedule.retry_period schedule.paused
CALL remove_columnstore_policy('public.events');
