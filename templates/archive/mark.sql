COMMENT ON TABLE {{ chunk|ident }} IS {{ mark }}
