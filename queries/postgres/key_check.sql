-- Only prepared, never run: the types of the key's parts, and whether the
-- database can tell equal keys at all.
-- Placeholders: parts, table, alias, group. Locks: ACCESS SHARE while it is prepared.
SELECT {group} FROM (SELECT {parts} FROM {table} AS {alias}) AS k GROUP BY {group}
