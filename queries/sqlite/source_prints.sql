-- Every row's rowid and key, in the order of the table itself: NOT INDEXED,
-- because an index may be damaged where the table is not.
-- Slots: {table}, {rowid} and {key}, quoted; {where} as the user wrote it.
-- Locks: a read lock, as any SELECT.
SELECT {rowid}, {key} FROM {table} NOT INDEXED WHERE {where}
