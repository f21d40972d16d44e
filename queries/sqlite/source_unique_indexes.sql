-- The columns of each unique index of a table with their collations; cid is
-- -1 for the rowid and -2 for an expression.
-- Parameters: ?1 the table's name. Locks: a read lock, as any SELECT.
SELECT l.name, l.origin, l.partial, x.cid, coalesce(x.name, ''), coalesce(x.coll, '')
FROM pragma_index_list(?1, 'main') AS l, pragma_index_xinfo(l.name, 'main') AS x
WHERE l."unique" AND x.key
ORDER BY l.seq, x.seqno
