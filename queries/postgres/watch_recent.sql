-- The fingerprints of recent rows, with where each lies and what tells it from
-- others.
-- Parameters: $1 the mark, where recent has it, and $2 the oldest transaction.
-- Placeholders: hash, identity, table, alias, where, recent. Locks: ACCESS SHARE.
-- Returns: the hash, NULL for a key that the NULL policy leaves out, the heap,
-- the place and the identity.
SELECT {hash}, {alias}.tableoid, {alias}.ctid, pg_catalog.textsend(({identity})::text)
FROM {table} AS {alias}
WHERE {recent} AND {where}
