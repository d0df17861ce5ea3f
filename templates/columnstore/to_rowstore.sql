{# Chunks that are not in the columnstore are passed over, with a notice. #}
{%- if before.enabled -%}
SELECT {{ ts|ident }}.decompress_chunk(chunk, true)
  FROM {{ ts|ident }}.show_chunks({{ table }}) AS chunk
{%- endif %}
