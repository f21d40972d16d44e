-- The schema of the extension pageinspect, where it is installed and the role
-- may use it: its functions are the superuser's.
-- Parameters: none. Locks: none.
SELECT pg_catalog.quote_ident(n.nspname)
FROM pg_catalog.pg_extension AS e
JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
JOIN pg_catalog.pg_roles AS r ON r.rolname = current_user
WHERE e.extname = 'pageinspect' AND r.rolsuper
