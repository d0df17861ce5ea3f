SELECT alter_job(1000, config => '{"keep": "1 day"}', schedule_interval => INTERVAL '5 minutes');
