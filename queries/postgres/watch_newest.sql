-- The value that lies $1 rows under the greatest of a column, as it prints.
-- Parameters: $1 how many rows under it.
-- Placeholders: column, table, alias. Locks: ACCESS SHARE.
SELECT {column}::text
FROM {table} AS {alias}
WHERE {column} IS NOT NULL
ORDER BY {column} DESC
LIMIT 1 OFFSET $1::bigint
