-- Whether a foreign table's server keeps its text in UTF-8: what tells it
-- fails in any other encoding. A row comes back where it does, and none where
-- no row could tell.
-- Placeholders: table, column. Locks: ACCESS SHARE.
SELECT 1 FROM ONLY {table} AS twinrow_there
WHERE pg_catalog.is_normalized(twinrow_there.{column}, 'NFC') IS NOT NULL
LIMIT 1
