-- The relations that a name can mean, the likeliest first: exact, then folded
-- to lower case as Postgres does, then whatever differs in case only.
-- Parameters: $1 schema or '' for the search path, $2 name.
-- Locks: none.
SELECT c.oid, n.nspname, c.relname,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),
       c.relkind,
       CASE WHEN c.relname = $2::text AND $1::text IN ('', n.nspname::text) THEN 0
            WHEN c.relname = pg_catalog.lower($2::text) AND pg_catalog.lower($1::text) IN ('', n.nspname::text) THEN 1
            ELSE 2 END AS distance
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND pg_catalog.lower(c.relname) = pg_catalog.lower($2::text)
  AND CASE WHEN $1::text = '' THEN n.nspname = ANY (pg_catalog.current_schemas(true))
           ELSE pg_catalog.lower(n.nspname) = pg_catalog.lower($1::text) END
ORDER BY distance, pg_catalog.array_position(pg_catalog.current_schemas(true), n.nspname), n.nspname, c.relname
