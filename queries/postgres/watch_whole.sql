-- The rows of each key among recent rows, where no index helps to find them:
-- the whole table is read once for all keys together.
-- Parameters: $1 the mark, where recent has it.
-- Placeholders: parts, table, alias, where, recent, known, same, values, most.
-- Locks: ACCESS SHARE.
WITH twinrow_recent AS MATERIALIZED (
    SELECT DISTINCT {parts} FROM {table} AS {alias} WHERE {recent} AND {where}
), twinrow_keys AS MATERIALIZED (
    SELECT pg_catalog.row_number() OVER () AS twinrow_number, k.* FROM twinrow_recent AS k WHERE {known}
)
SELECT f.*
FROM (
    SELECT k.twinrow_number,
           CASE WHEN pg_catalog.row_number() OVER (PARTITION BY k.twinrow_number) <= {most}
                THEN pg_catalog.count(*) OVER (PARTITION BY k.twinrow_number) ELSE 0 END AS twinrow_rows,
           {values}
    FROM twinrow_keys AS k
    JOIN {table} AS {alias} ON {same}
    WHERE {where}
) AS f
WHERE f.twinrow_rows > 1
ORDER BY f.twinrow_number
