-- Only prepared, never run: the types of the fields of a row made on the spot.
-- Placeholders: table, alias, text. Locks: ACCESS SHARE while it is prepared.
SELECT ({text}).* FROM {table} AS {alias}
