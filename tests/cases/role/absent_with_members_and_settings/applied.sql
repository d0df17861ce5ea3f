SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'role_team_gone');
SELECT pg_has_role('role_with_admin', 'pg_read_all_stats', 'MEMBER');
