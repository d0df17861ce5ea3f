SELECT _timescaledb_functions.freeze_chunk({{ chunk }})
