-- Every row's identity in the order of its key, with a number that is the same
-- for equal keys, for tables whose rows cannot be found again by a small rowid.
-- Slots: {table}, {key} and {identity}, quoted; {where} as the user wrote it;
-- {keep} leaves out keys that hold a NULL, where they equal none.
-- Locks: a read lock, as any SELECT.
SELECT dense_rank() OVER (ORDER BY {key}), {identity} FROM {table} NOT INDEXED WHERE {where} AND {keep}
