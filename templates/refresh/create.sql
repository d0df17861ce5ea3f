{# One statement, so that the job need not be looked up to be told the rest. #}
{%- set more = ctx.made.schedule.max_runtime is defined or ctx.made.schedule.max_retries is defined or ctx.made.schedule.retry_period is defined or ctx.made.schedule.paused is defined -%}
SELECT {% if more %}{{ ts|ident }}.alter_job({% endif %}{{ ts|ident }}.add_continuous_aggregate_policy({{ table }},
    start_offset => {{ ctx.made.start_offset }}{% if ctx.small %}::smallint{% endif %},
    end_offset => {{ ctx.made.end_offset }}{% if ctx.small %}::smallint{% endif %}
{%- with after = ctx.made %}{% include "job/_arguments.sql" %}{% endwith %}
{%- if ctx.made.buckets_per_batch is defined %},
    buckets_per_batch => {{ ctx.made.buckets_per_batch }}
{%- endif %}
{%- if ctx.made.max_batches_per_execution is defined %},
    max_batches_per_execution => {{ ctx.made.max_batches_per_execution }}
{%- endif %}
{%- if ctx.made.refresh_newest_first is defined %},
    refresh_newest_first => {{ ctx.made.refresh_newest_first }}
{%- endif %})
{%- if more %}
{%- with after = ctx.made, told = ctx.made %}{% include "job/_limits.sql" %}{% endwith %}
{%- if ctx.made.schedule.timezone is defined %},
    timezone => {{ ctx.made.schedule.timezone }}
{%- endif %})
{%- endif %}
