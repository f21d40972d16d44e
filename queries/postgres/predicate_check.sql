-- Only prepared, never run: whether a predicate is one condition over one row.
-- The second place closes what the first would let escape.
-- Placeholders: table, alias, text. Locks: ACCESS SHARE while it is prepared.
SELECT 1 FROM {table} AS {alias} WHERE (
{text}
) AND (ARRAY[
{text}
])[1]
