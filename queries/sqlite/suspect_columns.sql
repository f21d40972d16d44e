-- Every column of every table, with its place in the primary key and the table
-- that a foreign key refers to.
-- Parameters: none. Locks: a read lock, as any SELECT.
SELECT t.name, c.name, c.type, c."notnull", c.pk, coalesce(min(f."table"), '')
FROM pragma_table_list AS t
JOIN pragma_table_xinfo(t.name, 'main') AS c
LEFT JOIN pragma_foreign_key_list(t.name, 'main') AS f ON f."from" = c.name COLLATE NOCASE
WHERE t.schema = 'main' AND t.type = 'table' AND c.hidden <> 1
GROUP BY t.name, c.cid
ORDER BY t.name, c.cid
