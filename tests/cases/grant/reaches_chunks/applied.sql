SELECT has_table_privilege('grant_chunks', 'public.h', 'SELECT');
SELECT has_table_privilege('grant_chunks', chunk, 'SELECT') FROM public.show_chunks('public.h') AS chunk;
