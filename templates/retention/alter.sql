{# Keeps the job, its history and the rest of its configuration. #}
SELECT {{ ts|ident }}.alter_job(job_id
{%- if changed.drop_after is defined %},
    config => (config - 'drop_created_before') || jsonb_build_object('drop_after', {{ after.drop_after }})
{%- elif changed.drop_created_before is defined %},
    config => (config - 'drop_after') || jsonb_build_object('drop_created_before', {{ after.drop_created_before }})
{%- endif %}
{%- include "job/_times.sql" %}
{%- with told = changed %}{% include "job/_limits.sql" %}{% endwith %}
{%- include "job/_timezone.sql" %})
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_retention'
{%- include "job/_of_relation.sql" %}
