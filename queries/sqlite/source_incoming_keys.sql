-- The foreign keys of all tables that refer to one table. "to" is NULL where
-- the reference names no columns and so means the primary key.
-- Parameters: ?1 the table's name. Locks: a read lock, as any SELECT.
SELECT s.name, f.id, f."from", coalesce(f."to", ''), f.on_delete
FROM main.sqlite_schema AS s, pragma_foreign_key_list(s.name, 'main') AS f
WHERE s.type = 'table' AND f."table" = ?1 COLLATE NOCASE
ORDER BY s.name, f.id DESC, f.seq
