SELECT view_definition LIKE '%trades%' FROM timescaledb_information.continuous_aggregates WHERE view_name = 'by_ten';
