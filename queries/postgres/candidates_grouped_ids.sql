-- Groups candidate rows by the database's own equality: for each key that is
-- there more than once the numbers of its rows among those asked for, 8 bytes
-- each. The rows are set apart before they are joined with what was asked, so
-- that no join believes an index.
-- Parameters: for each id column an array of its type, then each again as text.
-- Placeholders: ids, parts, table, alias, here, asked, group, known. Locks: ACCESS SHARE.
WITH twinrow_rows AS MATERIALIZED (
    SELECT {ids}, {parts} FROM {table} AS {alias} WHERE {here}
)
SELECT pg_catalog.string_agg(pg_catalog.int8send(twinrow_asked.number), ''::bytea)
FROM twinrow_rows AS k JOIN {asked}
WHERE {known}
GROUP BY {group}
HAVING pg_catalog.count(*) > 1
