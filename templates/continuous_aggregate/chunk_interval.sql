SELECT {{ ts|ident }}.set_chunk_time_interval({{ item.table }}::regclass, {{ item.chunk_interval }})
