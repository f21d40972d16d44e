-- Candidate rows in full, with a digest of the whole row as it prints.
-- Parameters: $1 places.
-- Placeholders: values, table, alias. Locks: ACCESS SHARE.
SELECT {alias}.tableoid, {alias}.ctid,
       'sha256:' || pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(({alias}.*)::text, 'UTF8')), 'hex'),
       {values}
FROM {table} AS {alias}
WHERE {alias}.ctid = ANY ($1::pg_catalog.tid[])
