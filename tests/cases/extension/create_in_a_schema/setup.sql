CREATE SCHEMA "Odd schema";
