-- What ANALYZE noted of each index: its first column and "rows rows-a-value …".
-- Parameters: none. Locks: a read lock, as any SELECT.
SELECT s.tbl, coalesce(x.name, ''), s.stat
FROM main.sqlite_stat1 AS s
LEFT JOIN pragma_index_xinfo(s.idx, 'main') AS x ON x.seqno = 0
