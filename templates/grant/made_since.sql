{# What default privileges gave, to a role that goes. #}
REVOKE
{%- for privilege in item.privileges %} {{ privilege|privilege }}{% if not loop.last %},{% endif %}{% endfor %} ON
{%- if item.sort == "schema" %} SCHEMA {{ item.object|ident }}
{%- elif item.sort == "table" %} TABLE {{ item.object|ident }}
{%- elif item.sort == "type" %} TYPE {{ item.object|ident }}
{%- elif item.sort == "sequence" %} SEQUENCE {{ item.object|ident }}
{%- else %} ROUTINE {{ item.object|ident }}({% if item.arguments is not none %}{{ item.arguments|expr }}{% endif %})
{%- endif %} FROM {{ ctx.grantee|ident }}
