SELECT has_table_privilege('grant_later', 'app.made_since', 'SELECT'), has_table_privilege('grant_later', 'app.with_more', 'UPDATE');
