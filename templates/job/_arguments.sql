{#- When a new job runs, as the functions take it that add policies. -#}
{%- if after.schedule.every is defined %},
    schedule_interval => {{ after.schedule.every }}
{%- endif %}
{%- if after.schedule.initial_start is defined %},
    initial_start => {{ after.schedule.initial_start }}
{%- endif %}
{%- if after.schedule.timezone is defined %},
    timezone => {{ after.schedule.timezone }}
{%- endif %}
