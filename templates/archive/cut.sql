DELETE FROM pg_temp.{{ stage|ident }} AS s
WHERE
{%- if from is not none %} CAST(s.{{ time.staged|ident }} AS {{ time.base_type|expr }}) < {{ from }}{% endif %}
{%- if from is not none and until is not none %} OR{% endif %}
{%- if until is not none %} CAST(s.{{ time.staged|ident }} AS {{ time.base_type|expr }}) >= {{ until }}{% endif %}
