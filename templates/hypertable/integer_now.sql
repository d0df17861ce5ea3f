{% if ctx.integer_now is defined %}
SELECT {{ ts|ident }}.set_integer_now_func(
  {{ table }}::regclass,
  {{ ctx.integer_now }}::regprocedure
  {%- if before.integer_now is defined and before.integer_now is not none %},
  replace_if_exists => true
  {%- endif %}
)
{% endif %}
