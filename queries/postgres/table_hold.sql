-- Keeps a view, a materialized view or a foreign table, which LOCK TABLE does
-- not take, from being dropped or rewritten until the snapshot ends, and sees
-- that another server answers.
-- Placeholders: table. Locks: ACCESS SHARE on the table and all it reads.
SELECT FROM {table} LIMIT 0
