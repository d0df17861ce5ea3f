GRANT USAGE ON SEQUENCE app.s TO "{unique}_r";
