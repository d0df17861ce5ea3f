SELECT delete_job(1000);
