{# add_job takes any routine of the name for the one that is meant, where there are several; and it has no argument for some of what alter_job can say, which forgets a time zone that it is not told again. #}
{%- set tuned = after.schedule.max_runtime is defined or after.schedule.max_retries is defined or after.schedule.retry_period is defined -%}
SELECT {% if tuned %}{{ ts|ident }}.alter_job(
{%- endif %}{{ ts|ident }}.add_job({{ ctx.procedure }}::regprocedure::oid::regproc,
    schedule_interval => {{ after.schedule.every }}
{%- if after.config is defined %},
    config => {{ after.config }}::jsonb
{%- endif %}
{%- if after.check_config is defined %},
    check_config => {{ ctx.check_config }}::regprocedure::oid::regproc
{%- endif %}
{%- if after.schedule.fixed is defined %},
    fixed_schedule => {{ after.schedule.fixed }}
{%- elif after.schedule.initial_start is defined %},
    fixed_schedule => true
{%- else %},
    fixed_schedule => false
{%- endif %}
{%- if after.schedule.initial_start is defined %},
    initial_start => {{ after.schedule.initial_start }}
{%- endif %}
{%- if after.schedule.timezone is defined %},
    timezone => {{ after.schedule.timezone }}
{%- endif %}
{%- if after.schedule.paused is defined %},
    scheduled => {% if after.schedule.paused %}false{% else %}true{% endif %}
{%- endif %}
{%- if after.job_name is defined %},
    job_name => {{ after.job_name }}
{%- endif %})
{%- if tuned %}
{%- if after.schedule.max_runtime is defined %},
    max_runtime => {{ after.schedule.max_runtime }}
{%- endif %}
{%- if after.schedule.max_retries is defined %},
    max_retries => {{ after.schedule.max_retries }}
{%- endif %}
{%- if after.schedule.retry_period is defined %},
    retry_period => {{ after.schedule.retry_period }}
{%- endif %}
{%- if after.schedule.timezone is defined %},
    timezone => {{ after.schedule.timezone }}
{%- endif %})
{%- endif %}
