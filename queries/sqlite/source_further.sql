-- The rowids of the rows of a table that refer to rows of another, given by rowid.
-- Parameters: ?1 a JSON array of rowids. Slots: {table}, {rowid}, {child} (rows
-- with their rowid as twinrow_place) and {on}, quoted. Locks: a read lock, as any SELECT.
SELECT r.key, c.twinrow_place
FROM json_each(?1) AS r JOIN {table} AS t ON t.{rowid} = r.value JOIN {child} AS c ON {on}
