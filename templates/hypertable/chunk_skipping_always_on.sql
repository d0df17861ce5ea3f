{% if ctx.skipped or ctx.unskipped %}
SELECT
{%- for column in ctx.skipped %}
  {{ ts|ident }}.enable_chunk_skipping({{ table }}::regclass, {{ column }})
  {%- if not loop.last or ctx.unskipped %},{% endif %}
{%- endfor %}
{%- for column in ctx.unskipped %}
  {{ ts|ident }}.disable_chunk_skipping({{ table }}::regclass, {{ column }})
  {%- if not loop.last %},{% endif %}
{%- endfor %}
{% endif %}
