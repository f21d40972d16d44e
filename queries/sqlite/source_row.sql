-- One row by its identity.
-- Parameters: ?1… the identity's values. Slots: {table}, {columns} and
-- {identity}, quoted. Locks: a read lock, as any SELECT.
SELECT {columns} FROM {table} WHERE {identity}
