-- Whether the columns of two rows are the same by SQLite's own equality and the
-- columns' collations. Parameters: ?1 and ?2 the rows' rowids.
-- Slots: {same}, {table}, {rowid}, quoted. Locks: a read lock, as any SELECT.
SELECT {same} FROM {table} AS a, {table} AS b WHERE a.{rowid} = ?1 AND b.{rowid} = ?2
