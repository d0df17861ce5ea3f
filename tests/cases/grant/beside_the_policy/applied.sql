SELECT has_table_privilege('grant_beside', 'app.a', 'INSERT'), has_table_privilege('grant_beside', 'app.b', 'DELETE');
SELECT has_table_privilege('grant_beside', 'other.t', 'SELECT'), has_column_privilege('grant_beside', 'other.t', 'note', 'UPDATE');
SELECT NOT has_column_privilege('grant_beside', 'other.u', 'id', 'INSERT');
