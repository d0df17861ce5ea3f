SELECT {{ ts|ident }}.create_hypertable(
  {{ table }}::regclass,
  {{ ts|ident }}.by_range({{ after.time_column }}{% if after.chunk_interval is defined %}, {{ after.chunk_interval }}{% endif %})
  {%- if after.create_default_indexes is defined %},
  create_default_indexes => {{ after.create_default_indexes }}
  {%- endif %}
  {%- if after.migrate_data is defined %},
  migrate_data => {{ after.migrate_data }}
  {%- endif %}
)
