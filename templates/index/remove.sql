DROP INDEX{% if variant == "concurrently" %} CONCURRENTLY{% endif %} {{ object|ident }}
