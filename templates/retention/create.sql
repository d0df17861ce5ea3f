SELECT {{ ts|ident }}.add_retention_policy({{ table }},
{%- if after.drop_after is defined %}
    drop_after => {{ after.drop_after }}
{%- else %}
    drop_created_before => {{ after.drop_created_before }}
{%- endif %}
{%- if after.schedule.every is defined %},
    schedule_interval => {{ after.schedule.every }}
{%- endif %}
{%- if after.schedule.initial_start is defined %},
    initial_start => {{ after.schedule.initial_start }}
{%- endif %}
{%- if after.schedule.timezone is defined %},
    timezone => {{ after.schedule.timezone }}
{%- endif %})
