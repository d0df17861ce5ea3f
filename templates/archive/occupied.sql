SELECT pg_catalog.count(*) AS rows
  FROM {{ table|ident }} AS t
 WHERE t.{{ column|ident }} >= {{ start }} AND t.{{ column|ident }} < {{ end }}
{% if from is not none %}
   AND t.{{ column|ident }} >= {{ from }}
{% endif %}
{% if until is not none %}
   AND t.{{ column|ident }} < {{ until }}
{% endif %}
