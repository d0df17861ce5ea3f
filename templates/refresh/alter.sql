{# Keeps the job, its history and the rest of its configuration. #}
SELECT {{ ts|ident }}.alter_job(job_id
{%- if changed.start_offset is defined or changed.end_offset is defined or changed.buckets_per_batch is defined or changed.max_batches_per_execution is defined or changed.refresh_newest_first is defined %},
    config => config
{%- if changed.start_offset is defined %} || jsonb_build_object('start_offset', {{ after.start_offset }}){% endif %}
{%- if changed.end_offset is defined %} || jsonb_build_object('end_offset', {{ after.end_offset }}){% endif %}
{%- if changed.buckets_per_batch is defined %} || jsonb_build_object('buckets_per_batch', {{ after.buckets_per_batch }}){% endif %}
{%- if changed.max_batches_per_execution is defined %} || jsonb_build_object('max_batches_per_execution', {{ after.max_batches_per_execution }}){% endif %}
{%- if changed.refresh_newest_first is defined %} || jsonb_build_object('refresh_newest_first', {{ after.refresh_newest_first }}){% endif %}
{%- endif %}
{%- include "job/_times.sql" %}
{%- with told = changed %}{% include "job/_limits.sql" %}{% endwith %}
{%- include "job/_timezone.sql" %})
  FROM timescaledb_information.jobs
 WHERE job_id = {{ facts.job_id }}
