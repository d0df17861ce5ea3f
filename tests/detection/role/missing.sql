-- status: missing
DROP ROLE "{unique}_r";
