ALTER EXTENSION {{ name|ident }} UPDATE TO {{ after.version }}
