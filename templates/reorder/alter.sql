{# Keeps the job, its history and the rest of its configuration. #}
SELECT {{ ts|ident }}.alter_job(job_id
{%- if changed.index is defined %},
    config => config || jsonb_build_object('index_name', {{ after.index }}::text)
{%- endif %}
{%- include "job/_times.sql" %}
{%- with told = changed %}{% include "job/_limits.sql" %}{% endwith %}
{%- include "job/_timezone.sql" %})
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_reorder'
   AND hypertable_schema = {{ ctx.schema }}
   AND hypertable_name = {{ ctx.table }}
