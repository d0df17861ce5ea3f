DROP ROLE {{ name|ident }}
