{#- How a run is limited and tried again, and whether the job runs at all: what `told` has of it. -#}
{%- if told.schedule.max_runtime is defined %},
    max_runtime => {{ after.schedule.max_runtime }}
{%- endif %}
{%- if told.schedule.max_retries is defined %},
    max_retries => {{ after.schedule.max_retries }}
{%- endif %}
{%- if told.schedule.retry_period is defined %},
    retry_period => {{ after.schedule.retry_period }}
{%- endif %}
{%- if told.schedule.paused is defined %},
    scheduled => {% if after.schedule.paused %}false{% else %}true{% endif %}
{%- endif %}
