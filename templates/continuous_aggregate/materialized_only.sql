ALTER MATERIALIZED VIEW {{ table|ident }} SET (timescaledb.materialized_only = {{ after.materialized_only }})
