SELECT view_definition LIKE '%max(%' FROM timescaledb_information.continuous_aggregates;
