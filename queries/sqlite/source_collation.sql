-- Which collation compares the values of a column: the union's first arm gives
-- its collation to the second's value, and reads no row.
-- Slots: {table} and {column}, quoted. Locks: a read lock, as any SELECT.
WITH sample (value) AS (SELECT {column} FROM {table} WHERE 0 UNION ALL SELECT 'A')
SELECT value = 'a', value = 'A ' FROM sample
