SELECT {{ ts|ident }}.delete_job({{ facts.job_id }})
