{# Keeps the job, its history and the rest of its configuration. alter_job forgets a time zone that it is not told again. #}
SELECT {{ ts|ident }}.alter_job(job_id
{%- if changed.start_offset is defined or changed.end_offset is defined or changed.buckets_per_batch is defined or changed.max_batches_per_execution is defined or changed.refresh_newest_first is defined %},
    config => config
{%- if changed.start_offset is defined %} || jsonb_build_object('start_offset', {{ after.start_offset }}){% endif %}
{%- if changed.end_offset is defined %} || jsonb_build_object('end_offset', {{ after.end_offset }}){% endif %}
{%- if changed.buckets_per_batch is defined %} || jsonb_build_object('buckets_per_batch', {{ after.buckets_per_batch }}){% endif %}
{%- if changed.max_batches_per_execution is defined %} || jsonb_build_object('max_batches_per_execution', {{ after.max_batches_per_execution }}){% endif %}
{%- if changed.refresh_newest_first is defined %} || jsonb_build_object('refresh_newest_first', {{ after.refresh_newest_first }}){% endif %}
{%- endif %}
{%- if changed.schedule.every is defined %},
    schedule_interval => {{ after.schedule.every }}
{%- endif %}
{%- if changed.schedule.initial_start is defined %},
    fixed_schedule => true,
    initial_start => {{ after.schedule.initial_start }}
{%- endif %}
{%- if changed.schedule.max_runtime is defined %},
    max_runtime => {{ after.schedule.max_runtime }}
{%- endif %}
{%- if changed.schedule.max_retries is defined %},
    max_retries => {{ after.schedule.max_retries }}
{%- endif %}
{%- if changed.schedule.retry_period is defined %},
    retry_period => {{ after.schedule.retry_period }}
{%- endif %}
{%- if changed.schedule.paused is defined %},
    scheduled => {% if after.schedule.paused %}false{% else %}true{% endif %}
{%- endif %}
{%- if after.schedule.timezone is defined %},
    timezone => {{ after.schedule.timezone }}
{%- elif before.schedule.timezone is defined %},
    timezone => {{ before.schedule.timezone }}
{%- endif %})
  FROM timescaledb_information.jobs
 WHERE job_id = {{ facts.job_id }}
