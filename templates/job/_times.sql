{#- When the job runs, as far as that changes. -#}
{%- if changed.schedule.every is defined %},
    schedule_interval => {{ after.schedule.every }}
{%- endif %}
{%- if changed.schedule.initial_start is defined %},
    fixed_schedule => true,
    initial_start => {{ after.schedule.initial_start }}
{%- endif %}
