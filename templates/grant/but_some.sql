{# On what of a schema a privilege is not to stay, where it stays on some of it. #}
REVOKE{% if item.option %} GRANT OPTION FOR{% endif %}
{%- for privilege in item.privileges %} {{ privilege|privilege }}{% if not loop.last %},{% endif %}{% endfor %} ON
{%- if item.sort == "table" %} TABLE{% elif item.sort == "sequence" %} SEQUENCE{% else %} ROUTINE{% endif %}
{%- for object in item.objects %} {{ object.name|ident }}
{%- if item.sort == "function" %}({% if object.arguments is not none %}{{ object.arguments|expr }}{% endif %}){% endif %}
{%- if not loop.last %},{% endif %}
{%- endfor %} FROM {% if ctx.everybody %}PUBLIC{% else %}{{ ctx.grantee|ident }}{% endif %}
