-- How many rows of one heap the key speaks of, and how many of them its NULL
-- policy takes in.
-- Placeholders: parts, table, alias, where, known. Locks: ACCESS SHARE.
SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE {known})
FROM (SELECT {parts} FROM ONLY {table} AS {alias} WHERE {where}) AS k
