-- For each type the function that hashes its values so that what its default
-- equality calls equal has one hash, found as the server itself finds it: the
-- default hash operator class of the type, of what it is made of (a domain's
-- base, an array, enum, range or row type), or of the type that it is another
-- name of (varchar is text). A type that holds one without a hash has none.
-- Parameters: $1 OIDs of types.
-- Returns: OID, the type's name, function or '', the type to cast to, whether
-- the function can be called for that type by name, whether every server
-- of one encoding hashes its values alike, whether they hold text.
-- Locks: none.
WITH RECURSIVE part(asked, type, whole) AS (
    SELECT DISTINCT u.oid, u.oid, true FROM pg_catalog.unnest($1::oid[]) AS u(oid)
    UNION
    SELECT p.asked, inner_type.oid, p.whole AND t.typtype = 'd'
    FROM part AS p
    JOIN pg_catalog.pg_type AS t ON t.oid = p.type
    CROSS JOIN LATERAL (
        SELECT t.typbasetype WHERE t.typtype = 'd'
        UNION ALL
        SELECT t.typelem WHERE t.typtype <> 'd' AND t.typcategory = 'A' AND t.typelem <> 0
        UNION ALL
        SELECT r.rngsubtype FROM pg_catalog.pg_range AS r
        WHERE r.rngtypid = t.oid OR (pg_catalog.to_jsonb(r) ->> 'rngmultitypid')::oid = t.oid
        UNION ALL
        SELECT a.atttypid FROM pg_catalog.pg_attribute AS a
        WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    ) AS inner_type(oid)
), hash AS (
    SELECT DISTINCT ON (t.oid) t.oid AS type,
           pg_catalog.quote_ident(fn.nspname) || '.' || pg_catalog.quote_ident(f.proname) AS function,
           CASE WHEN fit.rank = 2 THEN c.opcintype ELSE t.oid END AS argument,
           -- Some types share the function of another that is stored alike,
           -- as date that of int4, and it cannot be called for them by name.
           f.proargtypes[0] = c.opcintype AS direct
    FROM (SELECT DISTINCT p.type FROM part AS p) AS wanted
    JOIN pg_catalog.pg_type AS t ON t.oid = wanted.type AND t.typtype <> 'd'
    JOIN pg_catalog.pg_am AS m ON m.amname = 'hash'
    JOIN pg_catalog.pg_opclass AS c ON c.opcmethod = m.oid AND c.opcdefault
    JOIN pg_catalog.pg_type AS ct ON ct.oid = c.opcintype
    JOIN pg_catalog.pg_amproc AS ap ON ap.amprocfamily = c.opcfamily AND ap.amproclefttype = c.opcintype
         AND ap.amprocrighttype = c.opcintype AND ap.amprocnum = 2
    JOIN pg_catalog.pg_proc AS f ON f.oid = ap.amproc
    JOIN pg_catalog.pg_namespace AS fn ON fn.oid = f.pronamespace
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN ct.oid = t.oid THEN 0
            WHEN ct.typname = 'anyarray' AND t.typcategory = 'A' AND t.typelem <> 0
              OR ct.typname = 'anyenum' AND t.typtype = 'e'
              OR ct.typname = 'anyrange' AND t.typtype = 'r'
              OR ct.typname = 'anymultirange' AND t.typtype = 'm'
              OR ct.typname = 'record' AND t.typtype = 'c' THEN 1
            WHEN EXISTS (SELECT FROM pg_catalog.pg_cast AS k WHERE k.castsource = t.oid AND k.casttarget = ct.oid
                         AND k.castmethod = 'b' AND k.castcontext = 'i') THEN 2
        END AS rank
    ) AS fit
    WHERE fit.rank IS NOT NULL
    ORDER BY t.oid, fit.rank, ct.typispreferred DESC
)
SELECT p.asked, pg_catalog.format_type(p.asked, NULL),
       CASE WHEN pg_catalog.bool_and(h.type IS NOT NULL) THEN coalesce(pg_catalog.max(h.function) FILTER (WHERE p.whole), '') ELSE '' END,
       coalesce(pg_catalog.max(pg_catalog.quote_ident(an.nspname) || '.' || pg_catalog.quote_ident(at.typname)) FILTER (WHERE p.whole), ''),
       coalesce(pg_catalog.bool_and(h.direct) FILTER (WHERE p.whole), false),
       -- Types of the user's and names of objects differ from server to server.
       pg_catalog.bool_and(h.type IS NOT NULL AND h.type < 16384 AND pt.typtype = 'b' AND pt.typname NOT LIKE 'reg%'),
       pg_catalog.bool_or(pt.typcollation <> 0 OR pt.typname = 'jsonb')
FROM part AS p
JOIN pg_catalog.pg_type AS pt ON pt.oid = p.type AND pt.typtype <> 'd'
LEFT JOIN hash AS h ON h.type = p.type
LEFT JOIN pg_catalog.pg_type AS at ON at.oid = h.argument
LEFT JOIN pg_catalog.pg_namespace AS an ON an.oid = at.typnamespace
GROUP BY p.asked
