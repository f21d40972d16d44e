-- The value that lies ?1 rows under the greatest of a column.
-- Parameters: ?1 how many rows under it. Slots: {table} and {column}, quoted.
-- Locks: a read lock, as any SELECT.
SELECT {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY {column} DESC LIMIT 1 OFFSET ?1
