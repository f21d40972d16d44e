-- What this transaction did to each table so far, cascades and triggers
-- included; counts of the session's earlier transactions may be in it.
-- Parameters: $1 the quoted names of the tables that are spoken of; what
-- happened to a partition of one counts as having happened to it. Locks: none.
WITH known AS (
    SELECT DISTINCT ON (f.relid) f.relid, n.name
    FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY AS n (name, place)
    CROSS JOIN LATERAL (
        SELECT pg_catalog.to_regclass(n.name)::pg_catalog.oid AS relid
        UNION SELECT p.relid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass(n.name)) AS p) AS f
    ORDER BY f.relid, n.place)
SELECT s.relid, coalesce(k.name, pg_catalog.format('%I.%I', s.schemaname, s.relname)),
       s.n_tup_ins, s.n_tup_upd, s.n_tup_del
FROM pg_catalog.pg_stat_xact_user_tables AS s
LEFT JOIN known AS k ON k.relid = s.relid
WHERE s.schemaname NOT LIKE 'pg\_temp\_%'
