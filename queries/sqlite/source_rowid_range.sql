-- The smallest and the largest rowid, each by one descent of the tree.
-- Slots: {table} and {rowid}, quoted. Locks: a read lock, as any SELECT.
SELECT (SELECT min({rowid}) FROM {table}), (SELECT max({rowid}) FROM {table})
