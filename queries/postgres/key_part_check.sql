-- Only prepared, never run: whether a part of the key is one expression over
-- one row. The second place closes what the first would let escape, as an
-- unpaired parenthesis, and takes no aggregate.
-- Placeholders: table, alias, text. Locks: ACCESS SHARE while it is prepared.
SELECT (
{text}
) FROM {table} AS {alias} WHERE ARRAY[
{text}
] IS NOT NULL
