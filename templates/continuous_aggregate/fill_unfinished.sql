{# What is kept of chunks that are gone since is left as it is. #}
CALL {{ ts|ident }}.refresh_continuous_aggregate({{ table }}, {{ item.from }}, {{ item.until }})
