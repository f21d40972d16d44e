-- The columns of each unique index of a table with their collations; cid is
-- -1 for the rowid and -2 for an expression. Behind them is the statement that
-- made the index, empty for one that a constraint made.
-- Parameters: ?1 the table's name. Locks: a read lock, as any SELECT.
SELECT l.name, l.origin, l.partial, x.cid, coalesce(x.name, ''), coalesce(x.coll, ''), coalesce(s.sql, '')
FROM pragma_index_list(?1, 'main') AS l, pragma_index_xinfo(l.name, 'main') AS x
LEFT JOIN main.sqlite_schema AS s ON s.type = 'index' AND s.name = l.name
WHERE l."unique" AND x.key
ORDER BY l.seq, x.seqno
