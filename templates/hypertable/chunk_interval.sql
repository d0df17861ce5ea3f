SELECT {{ ts|ident }}.set_chunk_time_interval(
  {{ table }}::regclass,
  {{ after.chunk_interval }},
  dimension_name => {{ after.time_column }}
)
