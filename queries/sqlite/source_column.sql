-- One column, or the key, of every row that the predicate holds for.
-- Slots: {columns}, {table}, quoted; {where} as the user wrote it.
-- Locks: a read lock, as any SELECT.
SELECT {columns} FROM {table} NOT INDEXED WHERE {where}
