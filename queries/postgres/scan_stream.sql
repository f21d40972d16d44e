-- Fingerprints and places of the rows in a stretch of blocks, and their times
-- where there is a time column, a row each. With enable_tidscan off it is an
-- ordinary sequential scan, which does not fill the server's cache.
-- Parameters: $1 first place, $2 the place after the last.
-- Placeholders: hash, times, table, alias, where. Locks: ACCESS SHARE.
SELECT {hash}, {alias}.ctid{times}
FROM ONLY {table} AS {alias}
WHERE {alias}.ctid >= $1::pg_catalog.tid AND {alias}.ctid < $2::pg_catalog.tid AND {where}
