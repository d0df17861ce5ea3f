{% if ctx.added or ctx.resized %}
SELECT
{%- for partition in ctx.added %}
  {{ ts|ident }}.add_dimension({{ table }}::regclass, {{ ts|ident }}.by_hash({{ partition.column }}, {{ partition.number }}))
  {%- if not loop.last or ctx.resized %},{% endif %}
{%- endfor %}
{%- for partition in ctx.resized %}
  {{ ts|ident }}.set_number_partitions({{ table }}::regclass, {{ partition.number }}, {{ partition.column }})
  {%- if not loop.last %},{% endif %}
{%- endfor %}
{% endif %}
