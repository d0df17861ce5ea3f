LOCK TABLE {{ chunk|ident }} IN SHARE MODE
