-- not: embedded
-- afterwards: DROP TABLESPACE {unique}
SET allow_in_place_tablespaces = on;
CREATE TABLESPACE {unique} LOCATION '';
ALTER INDEX public.ix_plain SET TABLESPACE {unique};
