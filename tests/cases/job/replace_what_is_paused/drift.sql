SELECT alter_job(1000, scheduled => false);
