-- Candidate rows in full by their ids: the number among those asked for, the
-- id, a digest of all that may be read of the row as it prints, and the values.
-- Parameters: for each id column an array of its type, then each again as text.
-- Placeholders: ids, readable, values, table, alias, here, asked. Locks: ACCESS SHARE.
WITH twinrow_rows AS MATERIALIZED (
    SELECT {ids}, 'sha256:' || pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(ROW({readable})::text, 'UTF8')), 'hex'), {values}
    FROM {table} AS {alias} WHERE {here}
)
SELECT twinrow_asked.number, k.*
FROM twinrow_rows AS k JOIN {asked}
