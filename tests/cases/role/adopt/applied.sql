SELECT rolcanlogin FROM pg_roles WHERE rolname = 'role_adopt';
