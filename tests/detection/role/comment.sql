COMMENT ON ROLE "{unique}_r" IS 'theirs';
