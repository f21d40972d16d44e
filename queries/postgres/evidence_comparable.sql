-- Only prepared, never run: whether a column's type has an equality.
-- Placeholders: table, column. Locks: ACCESS SHARE while it is prepared.
SELECT twinrow_a.{column} IS NOT DISTINCT FROM twinrow_a.{column} FROM {table} AS twinrow_a
