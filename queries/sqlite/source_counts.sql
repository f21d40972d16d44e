-- How many rows the predicate holds for, and how many of them have a NULL in their key.
-- Slots: {table} and {keep}, quoted; {where} as the user wrote it. Locks: a read lock, as any SELECT.
SELECT count(*), count(*) FILTER (WHERE NOT {keep}) FROM {table} NOT INDEXED WHERE {where}
