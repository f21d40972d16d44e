-- Names of the tables there are, to offer the nearest of them: bare where the
-- search path finds them, with their schema otherwise.
-- Parameters: none. Locks: none.
SELECT CASE WHEN pg_catalog.pg_table_is_visible(c.oid) THEN ''
            ELSE pg_catalog.quote_ident(n.nspname) || '.' END || pg_catalog.quote_ident(c.relname)
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg\_toast%' AND n.nspname NOT LIKE 'pg\_temp%'
ORDER BY 1
LIMIT 20000
