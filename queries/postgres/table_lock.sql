-- Keeps the table from being dropped or rewritten, which would move its rows,
-- until the snapshot ends. Reading and writing go on.
-- Placeholders: table. Locks: ACCESS SHARE on the table and all below it.
LOCK TABLE {table} IN ACCESS SHARE MODE
