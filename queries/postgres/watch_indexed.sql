-- The rows of each repeated key among recent rows, each key looked up in an
-- index. The inner LIMIT keeps the planner from believing a unique index, which
-- would stop at the first row.
-- Parameters: $1 the mark, where recent has it.
-- Placeholders: parts, table, alias, where, recent, known, same, values, most.
-- Locks: ACCESS SHARE.
WITH twinrow_recent AS MATERIALIZED (
    SELECT DISTINCT {parts} FROM {table} AS {alias} WHERE {recent} AND {where}
), twinrow_keys AS MATERIALIZED (
    SELECT pg_catalog.row_number() OVER () AS twinrow_number, k.* FROM twinrow_recent AS k WHERE {known}
)
SELECT k.twinrow_number, f.*
FROM twinrow_keys AS k
CROSS JOIN LATERAL (
    SELECT pg_catalog.count(*) OVER () AS twinrow_rows, g.*
    FROM (SELECT {values} FROM {table} AS {alias} WHERE {same} AND {where} LIMIT {most}) AS g
) AS f
WHERE f.twinrow_rows > 1
ORDER BY k.twinrow_number
