{# What is filled is left as it is: to fill it once more takes away what it keeps of chunks that are gone. #}
CALL {{ ts|ident }}.refresh_continuous_aggregate({{ table }}, {{ item.from }}, {{ item.until }})
