SELECT {{ ts|ident }}.add_retention_policy({{ table }},
{%- if after.drop_after is defined %}
    drop_after => {{ after.drop_after }}
{%- else %}
    drop_created_before => {{ after.drop_created_before }}
{%- endif %}
{%- include "job/_arguments.sql" %})
