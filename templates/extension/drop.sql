DROP EXTENSION {{ name|ident }}
