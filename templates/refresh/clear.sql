{%- if ctx.cleared -%}
SELECT {{ ts|ident }}.delete_job(j.id)
  FROM pg_catalog.unnest(ARRAY[{% for job in ctx.cleared %}{{ job }}{% if not loop.last %}, {% endif %}{% endfor %}]) AS j (id)
{%- endif %}
