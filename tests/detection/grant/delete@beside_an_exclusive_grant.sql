-- also: insert
GRANT INSERT, DELETE ON other.t TO "{unique}_r";
