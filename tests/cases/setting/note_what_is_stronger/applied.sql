SELECT setting = '1.1' FROM pg_file_settings WHERE name = 'random_page_cost';
