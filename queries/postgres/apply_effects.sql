-- What this transaction did to each table so far, cascades and triggers
-- included; counts of the session's earlier transactions may be in it.
-- Parameters: $1 the quoted name of the table that is cleaned, $2 that of the
-- quarantine. Locks: none.
SELECT s.relid, pg_catalog.format('%I.%I', s.schemaname, s.relname),
       s.relid = pg_catalog.to_regclass($1::text)
           OR s.relid IN (SELECT f.relid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1::text)) AS f) AS target,
       coalesce(s.relid = pg_catalog.to_regclass($2::text), false) AS quarantine,
       s.n_tup_ins, s.n_tup_upd, s.n_tup_del
FROM pg_catalog.pg_stat_xact_user_tables AS s
WHERE s.schemaname NOT LIKE 'pg\_temp\_%'
