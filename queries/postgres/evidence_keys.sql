-- The key of every row that the predicate holds for, as it prints.
-- Placeholders: parts, table, alias, where. Locks: ACCESS SHARE.
SELECT {parts} FROM {table} AS {alias} WHERE {where}
