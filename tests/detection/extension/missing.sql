-- status: missing
DROP EXTENSION hstore;
