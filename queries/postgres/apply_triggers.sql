-- The user's own triggers of a table that fire, whether always or in replicas
-- too, and whether the role owns the table.
-- Parameters: $1 the quoted name. Locks: none.
SELECT g.tgname::text, CASE g.tgenabled WHEN 'A' THEN 'ALWAYS ' WHEN 'R' THEN 'REPLICA ' ELSE '' END,
       pg_catalog.pg_has_role(c.relowner, 'USAGE')
FROM pg_catalog.pg_trigger AS g JOIN pg_catalog.pg_class AS c ON c.oid = g.tgrelid
WHERE g.tgrelid = pg_catalog.to_regclass($1)::pg_catalog.oid AND NOT g.tgisinternal AND g.tgenabled <> 'D'
  AND g.tgparentid = 0
ORDER BY g.tgname
