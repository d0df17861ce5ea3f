-- status: missing
REVOKE USAGE ON SCHEMA app FROM "{unique}_r";
