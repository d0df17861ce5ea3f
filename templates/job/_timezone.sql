{#- alter_job forgets a time zone that it is not told again. -#}
{%- if after.schedule.timezone is defined %},
    timezone => {{ after.schedule.timezone }}
{%- elif before.schedule.timezone is defined %},
    timezone => {{ before.schedule.timezone }}
{%- endif %}
