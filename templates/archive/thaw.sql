SELECT _timescaledb_functions.unfreeze_chunk({{ chunk }})
