-- Where the server is on its machine, as far as this role may know. $1 text[]: the repositories.
SELECT n.name,
       (SELECT s.setting FROM pg_catalog.pg_settings AS s WHERE s.name = 'data_directory') AS data_directory,
       (SELECT s.setting FROM pg_catalog.pg_settings AS s WHERE s.name = 'port') AS port,
       (SELECT s.setting FROM pg_catalog.pg_settings AS s WHERE s.name = 'unix_socket_directories') AS sockets
  FROM pg_catalog.unnest($1::text[]) AS n (name)
