-- The key columns of every unique index; the name is NULL for an expression.
-- sql is that of the index, from which a predicate is read.
-- Parameters: none. Locks: a read lock, as any SELECT.
SELECT t.name, l.name, l.origin, l.partial, coalesce(x.name, ''), coalesce(s.sql, ''), x.name IS NULL
FROM pragma_table_list AS t
JOIN pragma_index_list(t.name, 'main') AS l
JOIN pragma_index_xinfo(l.name, 'main') AS x
LEFT JOIN main.sqlite_schema AS s ON s.type = 'index' AND s.name = l.name
WHERE t.schema = 'main' AND t.type = 'table' AND l."unique" AND x.key
ORDER BY t.name, l.seq, x.seqno
