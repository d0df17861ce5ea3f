{% if ctx.set or ctx.reset %}
ALTER TABLE {{ table|ident }}
{% endif %}
{% if ctx.set %}
    SET (
{% for parameter in ctx.set %}
        {{ parameter.name|ident }} = {{ parameter.value }}{% if not loop.last %},{% endif %}

{% endfor %}
    ){% if ctx.reset %},{% endif %}

{% endif %}
{% if ctx.reset %}
    RESET (
{% for name in ctx.reset %}
        {{ name|ident }}{% if not loop.last %},{% endif %}

{% endfor %}
    )
{% endif %}
