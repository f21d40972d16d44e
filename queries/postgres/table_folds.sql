-- Whether one of the table's columns has a collation that calls different
-- texts equal; how it hashes them depends on the server's own ICU.
-- Parameters: $1 the table's OID, $2 the columns' names; NULL among them
-- stands for all.
-- Locks: none.
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_attribute AS a
    JOIN pg_catalog.pg_collation AS l ON l.oid = a.attcollation
    WHERE a.attrelid = $1::oid AND NOT l.collisdeterministic
      AND (a.attname = ANY ($2::text[]) OR pg_catalog.array_position($2::text[], NULL) IS NOT NULL))
