-- Fingerprints of all rows, a message each: of what has no places, or is
-- worked out here from what another server sends.
-- Placeholders: hash, parts, table, alias, where, known. Locks: ACCESS SHARE.
-- Returns: the hash, NULL for a key that the NULL policy leaves out.
SELECT CASE WHEN {known} THEN {hash} END
FROM (SELECT {parts} FROM ONLY {table} AS {alias} WHERE {where}) AS k
