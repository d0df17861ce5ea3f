{# All that is not asked for, and what was archived again since. #}
DELETE FROM pg_temp.{{ stage|ident }} AS s
WHERE false
{%- if from is not none %} OR CAST(s.{{ time.staged|ident }} AS {{ time.base_type|expr }}) < {{ from }}{% endif %}
{%- if until is not none %} OR CAST(s.{{ time.staged|ident }} AS {{ time.base_type|expr }}) >= {{ until }}{% endif %}
{%- for part in without %} OR (CAST(s.{{ time.staged|ident }} AS {{ time.base_type|expr }}) >= {{ part.start }} AND CAST(s.{{ time.staged|ident }} AS {{ time.base_type|expr }}) < {{ part.end }}){% endfor %}
