-- What a clean-up of the table must know before its first change, a fact a
-- row: what is partitioned by, publications under which a DELETE is refused
-- for want of a replica identity, rules that keep rows from being deleted or
-- put back, row security, unique indexes that are INVALID, and names of its
-- schema that an index of this table would be given.
-- Parameters: $1 the table's OID.
-- Locks: none.
WITH RECURSIVE tree AS (
    SELECT $1::oid AS oid
    UNION
    SELECT i.inhrelid FROM tree AS t JOIN pg_catalog.pg_inherits AS i ON i.inhparent = t.oid
), leaf AS (
    SELECT c.oid, n.nspname, c.relname,
           c.relreplident = 'n'
               OR c.relreplident = 'd' AND NOT EXISTS (SELECT FROM pg_catalog.pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary)
               OR c.relreplident = 'i' AND NOT EXISTS (SELECT FROM pg_catalog.pg_index AS i WHERE i.indrelid = c.oid AND i.indisreplident) AS nameless
    FROM tree AS t
    JOIN pg_catalog.pg_class AS c ON c.oid = t.oid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p')
)
SELECT 'partition-key', coalesce(a.attname::text, 'an expression')
FROM pg_catalog.pg_partitioned_table AS p
CROSS JOIN LATERAL pg_catalog.unnest(p.partattrs::int2[]) AS k(attnum)
LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = p.partrelid AND a.attnum = k.attnum AND k.attnum > 0
WHERE p.partrelid IN (SELECT oid FROM tree)
UNION
SELECT 'refuses-delete', u.pubname::text
FROM pg_catalog.pg_publication AS u
JOIN pg_catalog.pg_publication_tables AS v ON v.pubname = u.pubname
JOIN leaf AS l ON l.nspname = v.schemaname AND l.relname = v.tablename
WHERE u.pubdelete AND EXISTS (SELECT FROM leaf AS o JOIN pg_catalog.pg_class AS c ON c.oid = o.oid WHERE o.nameless AND c.relkind = 'r')
UNION
SELECT 'rule', r.rulename::text
FROM pg_catalog.pg_rewrite AS r
WHERE r.ev_class = $1::oid AND r.ev_enabled <> 'D' AND (r.ev_type = '3' OR r.is_instead AND r.ev_type <> '1')   -- 1 SELECT, 3 INSERT
UNION
SELECT 'row-security', CASE WHEN c.relforcerowsecurity THEN 'forced' ELSE 'on' END
FROM pg_catalog.pg_class AS c
WHERE c.oid = $1::oid AND c.relrowsecurity
UNION
SELECT CASE WHEN i.indisready THEN 'invalid-enforcing' ELSE 'invalid-inert' END, ic.relname::text
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS ic ON ic.oid = i.indexrelid
WHERE i.indrelid = $1::oid AND i.indisunique AND NOT i.indisvalid
UNION
SELECT 'name', o.relname::text
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_class AS o ON o.relnamespace = c.relnamespace
WHERE c.oid = $1::oid AND pg_catalog.starts_with(o.relname::text, pg_catalog.left(c.relname::text, 20)) AND pg_catalog.right(o.relname::text, 4) = '_key'
ORDER BY 1, 2
