REVOKE DELETE ON app.b FROM "{unique}_r";
