-- Fails where the key or the predicate reads what we may not; reads no row.
-- Placeholders: parts, table, alias, where. Locks: ACCESS SHARE.
SELECT {parts} FROM {table} AS {alias} WHERE {where} LIMIT 0
