SELECT string_agg(view_name::text, ' ' ORDER BY view_name) = 'a c' FROM timescaledb_information.continuous_aggregates;
