{# What the policy is not added with. #}
{%- if changed.schedule.max_runtime is defined or changed.schedule.max_retries is defined or changed.schedule.retry_period is defined or changed.schedule.paused is defined -%}
SELECT {{ ts|ident }}.alter_job(job_id
{%- with told = changed %}{% include "job/_limits.sql" %}{% endwith %}
{%- include "job/_timezone.sql" %})
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_compression'
{%- include "job/_of_relation.sql" %}
{%- endif %}
