SELECT {{ ts|ident }}.remove_reorder_policy({{ table }})
