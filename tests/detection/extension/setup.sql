CREATE SCHEMA elsewhere;
