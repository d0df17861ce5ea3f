SELECT pg_has_role('turned_b', 'turned_a', 'MEMBER');
SELECT NOT pg_has_role('turned_a', 'turned_b', 'MEMBER');
