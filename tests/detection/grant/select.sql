REVOKE SELECT ON app.a FROM "{unique}_r";
