SELECT has_table_privilege('grant_late', 'app.hourly', 'SELECT'), has_table_privilege('grant_late', 'app.hourly', 'INSERT'), has_table_privilege('grant_late', 'app.raw', 'SELECT');
