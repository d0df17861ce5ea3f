-- Which target of chronoform.yaml a database was first seen as.
ALTER TABLE databases ADD COLUMN target TEXT;
-- What a pipeline says of itself: the commit that it works on, where it can be looked at, and who set it off.
ALTER TABLE runs ADD COLUMN revision TEXT;
ALTER TABLE runs ADD COLUMN pipeline TEXT;
ALTER TABLE runs ADD COLUMN actor TEXT;
