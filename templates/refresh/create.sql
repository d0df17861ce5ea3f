{# One statement, so that the job need not be looked up to be told the rest. #}
{%- set more = after.schedule.max_runtime is defined or after.schedule.max_retries is defined or after.schedule.retry_period is defined or after.schedule.paused is defined -%}
SELECT {% if more %}{{ ts|ident }}.alter_job({% endif %}{{ ts|ident }}.add_continuous_aggregate_policy({{ table }},
    start_offset => {{ after.start_offset }}{% if ctx.small %}::smallint{% endif %},
    end_offset => {{ after.end_offset }}{% if ctx.small %}::smallint{% endif %},
    schedule_interval => {{ after.schedule.every }}
{%- if after.schedule.initial_start is defined %},
    initial_start => {{ after.schedule.initial_start }}
{%- endif %}
{%- if after.schedule.timezone is defined %},
    timezone => {{ after.schedule.timezone }}
{%- endif %}
{%- if after.buckets_per_batch is defined %},
    buckets_per_batch => {{ after.buckets_per_batch }}
{%- endif %}
{%- if after.max_batches_per_execution is defined %},
    max_batches_per_execution => {{ after.max_batches_per_execution }}
{%- endif %}
{%- if after.refresh_newest_first is defined %},
    refresh_newest_first => {{ after.refresh_newest_first }}
{%- endif %})
{%- if more %}
{%- if after.schedule.max_runtime is defined %},
    max_runtime => {{ after.schedule.max_runtime }}
{%- endif %}
{%- if after.schedule.max_retries is defined %},
    max_retries => {{ after.schedule.max_retries }}
{%- endif %}
{%- if after.schedule.retry_period is defined %},
    retry_period => {{ after.schedule.retry_period }}
{%- endif %}
{%- if after.schedule.paused is defined %},
    scheduled => {% if after.schedule.paused %}false{% else %}true{% endif %}
{%- endif %}
{%- if after.schedule.timezone is defined %},
    timezone => {{ after.schedule.timezone }}
{%- endif %})
{%- endif %}
