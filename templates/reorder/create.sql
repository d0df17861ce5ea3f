SELECT {{ ts|ident }}.add_reorder_policy({{ table }}, {{ after.index }}
{%- if after.schedule.initial_start is defined %},
    initial_start => {{ after.schedule.initial_start }}
{%- endif %}
{%- if after.schedule.timezone is defined %},
    timezone => {{ after.schedule.timezone }}
{%- endif %})
