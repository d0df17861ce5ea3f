SELECT {{ ts|ident }}.remove_retention_policy({{ table }})
