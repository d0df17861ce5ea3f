ALTER EXTENSION {{ name|ident }} SET SCHEMA {{ after.schema|ident }}
