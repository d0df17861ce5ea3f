-- status: missing
REVOKE "{unique}_g" FROM "{unique}_r";
