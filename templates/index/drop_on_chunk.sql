{% if item.broken is not none %}
DROP INDEX {{ item.broken|ident }}
{% endif %}
